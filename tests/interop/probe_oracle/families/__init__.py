"""One file per family. A file that defines FAMILY is a family; nothing else has to name it."""
