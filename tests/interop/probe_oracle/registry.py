"""Every family of families/, by name."""

import importlib
import pkgutil

from . import families


def _load():
    names = sorted(module.name for module in pkgutil.iter_modules(families.__path__))
    loaded = [importlib.import_module(f"{families.__name__}.{name}") for name in names]
    return {module.FAMILY.name: module.FAMILY for module in loaded if hasattr(module, "FAMILY")}


FAMILIES = _load()


def names_of(backend):
    """Families whose results can be recomputed."""
    return [name for name, family in FAMILIES.items() if family.recipe(backend) and family.recipe(backend).results]
