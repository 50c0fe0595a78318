"""The folder in which a student works: how it is made, and how it is known again."""

import json
import re
import shutil
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory

import testbed.new_saga
from bench.changes.folders import copy_base
from kernel.errors import UsageError
from scenarios.runs.folder import SCHEMA
from testbed.labs.lab import ANSWERS, OWN, SAGA, SHEET, Lab
from testbed.new_folder import new_folder, relative_imports

MARK = "lab.json"
"""Says whose folder it is."""
IGNORED = shutil.ignore_patterns("__pycache__")
BASE = "shared_domain.order"
"""The saga that labs begin with: its first variant, without its planted bugs."""
_INDEX = '''"""The scenarios of this lab."""

from scenarios.catalog.index import by_name

from . import {modules}

SCENARIOS = by_name(({modules},))
HEADLINE: dict[str, tuple[str, ...]] = {{name: ("all",) for name in SCENARIOS}}
'''


def start(lab: Lab, where: str) -> Path:
    """Make the folder in which a student begins. Raise UsageError if it cannot be made: what is there is never touched."""
    folder = new_folder(where)
    begin(lab, folder)
    return folder


def solve(lab: Lab, where: str) -> Path:
    """The same with the solution in it."""
    folder = new_folder(where)
    begin(lab, folder, part="solution")
    return folder


def begin(lab: Lab, folder: Path, *, part: str = "start") -> None:
    """Write the lab as it begins, or its solution. What neither of them has is as in every lab of its kind."""
    if lab.kind == ANSWERS:
        folder.mkdir()
    elif lab.kind == OWN:
        shutil.copytree(Path(str(testbed.new_saga.__file__)).parent, folder, ignore=IGNORED)
    else:
        _base(lab, folder)
    if lab.kind != SAGA:
        _lay(lab.folder / "start", folder)
    _lay(lab.folder / part, folder)
    mark = json.dumps({"schema": SCHEMA, "lab": lab.name}) + "\n"
    (folder / MARK).write_text(mark, encoding="utf-8")
    # As it reads where the folder has another name than the usual one.
    sheet = re.sub(rf"\b{lab.usual_folder}\b", folder.name, sheet_of(lab))
    sheet = re.sub(r"\[[^\]]+\]\([./]+/(docs/[^)]+)\)", r"`\1` of the testbed", sheet)
    (folder / SHEET).write_text(sheet, encoding="utf-8")


def sheet_of(lab: Lab) -> str:
    """The sheet as a student reads it: without the notes for the test that follows it."""
    text = (lab.folder / SHEET).read_text(encoding="utf-8")
    text = re.sub(r"^<!--.*?-->\n\n?", "", text, flags=re.MULTILINE | re.DOTALL)
    return text.replace("```console exits 1", "```console")


def opened(lab: Lab, where: str | None) -> Path:
    """The student's folder; None = this one, if it is a lab's, or else the usual one below it.

    Raise UsageError if it is none of this lab.
    """
    here = Path() if Path(MARK).is_file() else Path(lab.usual_folder)
    folder = here if where is None else Path(where)
    mark = folder / MARK
    if not mark.is_file():
        raise UsageError(
            f"{folder} is no folder of a lab: begin with saga lab start {lab.number}, or name the folder"
        )
    try:
        found = json.loads(mark.read_text(encoding="utf-8"))["lab"]
    except (ValueError, KeyError, TypeError, OSError) as error:
        raise UsageError(f"{mark} cannot be read: start the lab again in another folder") from error
    if found != lab.name:
        raise UsageError(f"{folder} is a folder of lab {found}, not of {lab.name}")
    return folder


def changed(lab: Lab, folder: Path) -> list[str]:
    """The files of the lab as it begins that are not so any more."""
    with TemporaryDirectory() as scratch:
        first = Path(scratch) / folder.resolve().name
        begin(lab, first)
        files = [path.relative_to(first) for path in sorted(first.rglob("*")) if path.is_file()]
        return [str(name) for name in files if not _alike(first / name, folder / name)]


def _alike(one: Path, other: Path) -> bool:
    return other.is_file() and one.read_bytes() == other.read_bytes()


def _base(lab: Lab, folder: Path) -> None:
    with TemporaryDirectory() as scratch:
        copy_base(Path(scratch))
        for pattern in ("*.py", "participants/*.py", "order_saga.asl.json"):
            for path in sorted(Path(scratch).glob(pattern)):
                _write(path, folder, path.relative_to(scratch))
    origin = Path(str(import_module(BASE).__file__)).parent
    for name in ("__init__", *lab.listed("scenarios")):
        module = Path("scenarios") / f"{name}.py"
        _write(origin / module, folder, module)
    index = _INDEX.format(modules=", ".join(lab.listed("scenarios")))
    (folder / "scenarios" / "index.py").write_text(index, encoding="utf-8")
    rules = folder / "saga.py"
    text = rules.read_text(encoding="utf-8").replace('name="order"', "name=FOLDER.name")
    for name in lab.listed("supplies"):
        text = text.replace("    words=WORDS,\n", f"    words=WORDS,\n    {name}={name},\n")
        text = text.replace("from .laws", f"from . import {name}\nfrom .laws")
    rules.write_text(text, encoding="utf-8")


def _lay(origin: Path, folder: Path) -> None:
    for path in sorted(origin.rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            _write(path, folder, path.relative_to(origin))


def _write(path: Path, folder: Path, name: Path) -> None:
    """Copy a file, its imports made the folder's own."""
    target = folder / name
    target.parent.mkdir(parents=True, exist_ok=True)
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".py":
        text = relative_imports(text, BASE, depth=len(name.parts) - 1)
    target.write_text(text, encoding="utf-8")
