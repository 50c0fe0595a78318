"""The folder of a new saga: where it may be made, and how a built-in saga's modules are named in it."""

import re
from importlib.util import find_spec
from pathlib import Path

from kernel.errors import UsageError


def new_folder(name: str) -> Path:
    """Where a saga of this name is to be made. Raise UsageError if it cannot be."""
    folder = Path(name)
    if not folder.name.isidentifier() or not folder.name.islower():
        raise UsageError(f"{name!r}: a saga's name has small letters, digits and _ only")
    if find_spec(folder.name) is not None or find_spec(f"shared_domain.{folder.name}") is not None:
        raise UsageError(f"{folder.name!r} is the name of a Python package or of a built-in saga")
    if folder.exists():
        raise UsageError(f"{folder} is there already: choose another name, or delete it")
    if not folder.parent.is_dir():
        raise UsageError(f"{folder.parent} is no folder")
    return folder


def relative_imports(text: str, package: str, *, depth: int) -> str:
    """A module's text, its imports from `package` made relative, so that its folder may have any name.

    `depth`: folders between the module and its package.
    """
    dots = "." * (depth + 1)
    text = re.sub(rf"^from {re.escape(package)}\.", f"from {dots}", text, flags=re.MULTILINE)
    return re.sub(
        rf"^from {re.escape(package)} import", f"from {dots} import", text, flags=re.MULTILINE
    )
