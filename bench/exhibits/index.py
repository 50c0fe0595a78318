"""The exhibits by name: every folder of the package that has an exhibit.py."""

from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

from bench.exhibits.exhibit import EDITIONS, Exhibit
from kernel.errors import UsageError, nearest
from kernel.loading import EXHIBITS

ALL = "all"


def names() -> list[str]:
    """As the command line takes them."""
    return [path.parent.name.replace("_", "-") for path in sorted(_home().glob("*/exhibit.py"))]


def named(name: str) -> Exhibit:
    """The exhibit of this name. Raise UsageError with the names that there are."""
    if name not in names():
        raise UsageError(
            f"there is no exhibit {name!r}{nearest(name, names())}: the exhibits are {', '.join(names())}"
        )
    module = import_module(f"{EXHIBITS}.{name.replace('-', '_')}.exhibit")
    exhibit: Exhibit = module.EXHIBIT
    return exhibit


def chosen(name: str) -> list[Exhibit]:
    """The exhibit of this name, or all of them."""
    return [named(one) for one in names()] if name == ALL else [named(name)]


def choose_editions(edition: str) -> list[str]:
    """`both`, or one edition. Raise UsageError with the editions that there are."""
    if edition == "both":
        return list(EDITIONS)
    if edition not in EDITIONS:
        raise UsageError(
            f"there is no edition {edition!r}{nearest(edition, EDITIONS)}: use both, {' or '.join(EDITIONS)}"
        )
    return [edition]


def readme(exhibit: Exhibit) -> str:
    """Its README.md."""
    return (_home() / exhibit.package / "README.md").read_text(encoding="utf-8")


def story(exhibit: Exhibit) -> list[str]:
    """The paragraphs of its README between the title and the source, without markup."""
    body = readme(exhibit).partition("\n")[2].partition("\nSource: ")[0]
    plain = body.replace("`", "").replace("*", "")
    return [" ".join(part.split()) for part in plain.split("\n\n") if part.strip()]


def _home() -> Path:
    spec = find_spec(EXHIBITS)
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent
