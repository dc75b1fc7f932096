"""What the Python libraries of both monitors share. The build copies it into each of them as its package `_kit`."""
