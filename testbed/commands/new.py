"""`saga new`."""

import re
import shutil
from importlib import import_module
from pathlib import Path
from typing import Annotated

import typer

import testbed.new_saga
from kernel.errors import UsageError
from kernel.loading import package_of
from testbed.new_folder import new_folder

IGNORED = shutil.ignore_patterns("__pycache__")
TEMPLATE = Path(str(testbed.new_saga.__file__)).parent


def new(
    name: Annotated[
        str, typer.Argument(help="Name of the saga; a folder of that name is made here.")
    ],
    like: Annotated[
        str, typer.Option(help="Copy this built-in saga instead of the small one of three steps.")
    ] = "",
) -> None:
    """Make a folder with a small saga that passes every check, to edit into your own."""
    folder = new_folder(name)
    if like:
        _copy(like, folder)
    else:
        shutil.copytree(TEMPLATE, folder, ignore=IGNORED)
    print(
        f"{folder}: {f'a copy of {like}' if like else 'a small saga, with a README.md of what to change first'}; try\n"
        f"  saga check ./{folder}\n"
        f"  saga demo --saga ./{folder}\n"
        f"  saga sweep --simulated --saga ./{folder}"
    )


def _copy(like: str, folder: Path) -> None:
    """Copy a built-in saga, its modules named after the folder. Raise UsageError if there is none of that name."""
    package = package_of(like)
    if package == like:
        raise UsageError(f"{like!r} is no built-in saga")
    origin = Path(str(import_module(package).__file__)).parent
    shutil.copytree(origin, folder, ignore=IGNORED)
    for path in folder.rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        path.write_text(re.sub(rf"\b{re.escape(package)}\b", folder.name, text), encoding="utf-8")
    saga = folder / "saga.py"
    text = saga.read_text(encoding="utf-8")
    saga.write_text(text.replace(f'Saga(\n    name="{like}"', f'Saga(\n    name="{folder.name}"'))
