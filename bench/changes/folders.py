"""Five changes of the order saga as complete saga folders: a patch each, applied to a copy."""

import atexit
import shutil
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import patch_ng

from kernel.errors import UsageError
from kernel.loading import DEFAULT, load_saga, package_of
from kernel.saga import Saga
from kernel.scratch import scratch

PATCHES = Path(__file__).parent / "patches"
BASE = "base"
"""The patch that every other one comes after."""
NAMES = ("add_step", "insert_check", "swap_steps", "add_listener", "change_field")
COPIED = (
    "__init__.py", "saga.py", "messages.py", "reactions.py", "laws.py", "words.py", "workload.py",
    "*.asl.json", "participants/*.py",
)  # fmt: skip
"""What a saga is; its scenarios and planted bugs stay where they are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """One version of a saga, and the files of its folder: path -> lines, with the same package name in all versions."""

    saga: Saga
    folder: Path
    files: dict[str, list[str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One change. `words`: what it is, one sentence; `shows`: what it is an example of."""

    name: str
    words: str
    shows: str
    old: Version
    new: Version


def named(name: str) -> Change:
    """The change of this name. Raise UsageError with the names that there are."""
    if name not in NAMES:
        raise UsageError(f"there is no change {name!r}: the changes are {', '.join(NAMES)}")
    text = (PATCHES / f"{name}.patch").read_text(encoding="utf-8")
    words, shows = (part.strip() for part in text.partition("\n--- ")[0].split("\n\n", 1))
    return Change(
        name=name,
        words=words,
        shows=" ".join(shows.split()),
        old=_version(BASE),
        new=_version(name),
    )


def every() -> Iterator[Change]:
    """All of them."""
    return (named(name) for name in NAMES)


def written(changes: Sequence[Change], into: Path) -> list[Path]:
    """The saga folders of these changes, the old version first. Raise UsageError if one of them is there already."""
    made = []
    for version in {v.folder: v for c in changes for v in (c.old, c.new)}.values():
        folder = into / version.folder.name
        if folder.exists():
            raise UsageError(f"{folder} exists: choose another folder, or remove it")
        try:
            shutil.copytree(version.folder, folder, ignore=shutil.ignore_patterns("__pycache__"))
        except OSError as error:
            raise UsageError(f"cannot write {folder}: {error.strerror or error}") from error
        made.append(folder)
    return made


def copy_base(folder: Path) -> None:
    """The order saga with its first variant alone, as files in `folder`; its modules still import from where they came from."""
    source = _source()
    for pattern in COPIED:
        for path in sorted(source.glob(pattern)):
            copy = folder / path.relative_to(source)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, copy)
    _apply(BASE, folder)


@cache
def _version(name: str) -> Version:
    folder = _folders() / f"change_{name}"
    copy_base(folder)
    if name != BASE:
        _apply(name, folder)
    files = {
        path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8").splitlines()
        for path in sorted(folder.rglob("*.*"))
    }
    for path in folder.rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        path.write_text(text.replace(package_of(DEFAULT), folder.name), encoding="utf-8")
    return Version(saga=load_saga(str(folder)), folder=folder, files=files)


def _apply(name: str, folder: Path) -> None:
    path = PATCHES / f"{name}.patch"
    patches = patch_ng.fromfile(str(path))
    if not patches or not patches.apply(root=str(folder)):
        raise UsageError(f"{path} does not apply to the {DEFAULT} saga any more: make it again")


def _source() -> Path:
    """The folder of the saga that is changed."""
    saga = load_saga(DEFAULT)
    return saga.state_machines[saga.variant].parent


@cache
def _folders() -> Path:
    """One folder for all of this process: a package that was imported once cannot move."""
    stack = ExitStack()
    atexit.register(stack.close)
    return stack.enter_context(scratch("changes"))
