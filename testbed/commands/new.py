"""`saga new`."""

import shutil
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer

import testbed.new_saga
from kernel.errors import UsageError

TEMPLATE = Path(str(testbed.new_saga.__file__)).parent


def new(
    name: Annotated[str, typer.Argument(help="Its name: a folder of that name is made here.")],
) -> None:
    """Make a folder with a small saga of three participants that passes everything, to be made your own."""
    folder = Path(name)
    if not folder.name.isidentifier() or not folder.name.islower():
        raise UsageError(f"{name!r}: a saga's name has small letters, digits and _ only")
    if find_spec(folder.name) is not None or find_spec(f"shared_domain.{folder.name}") is not None:
        raise UsageError(f"{folder.name!r} is the name of a Python package or of a built-in saga")
    if folder.exists():
        raise UsageError(f"{folder} is there already: choose another name, or delete it")
    if not folder.parent.is_dir():
        raise UsageError(f"{folder.parent} is no folder")
    shutil.copytree(TEMPLATE, folder, ignore=shutil.ignore_patterns("__pycache__"))
    print(
        f"{folder}: a saga of three participants; read {folder / 'README.md'}, then\n"
        f"  saga check ./{folder}\n"
        f"  saga demo --saga ./{folder}\n"
        f"  saga sweep --simulated --saga ./{folder}"
    )
