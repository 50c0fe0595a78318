"""What the linters do not see: where imports stand, and that every package says what it is."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = (
    "kernel",
    "shared_domain",
    "exhibits",
    "choreography",
    "orchestration",
    "scenarios",
    "bench",
    "report",
    "testbed",
)
MODULES = [path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_stand_at_the_top_and_are_real(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert ast.get_docstring(tree), "every module says what it gives"
    everywhere = [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]
    on_top = [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
    assert everywhere == on_top, "an import inside a function or a TYPE_CHECKING block"
    if "new_saga" not in path.parts:  # what is copied must not name where it was
        assert all(node.level == 0 for node in everywhere if isinstance(node, ast.ImportFrom))


def test_packages_hold_a_docstring_and_nothing_else():
    for path in (path for path in MODULES if path.name == "__init__.py"):
        assert len(ast.parse(path.read_text(encoding="utf-8")).body) == 1, path


def test_only_one_file_registers_styles():
    """The index and planted bugs, which say in which style they can be, alone import more than one style."""
    both = [
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "scenarios").rglob("*.py")
        if "from scenarios.styles import choreography, orchestration" in path.read_text("utf-8")
    ]
    assert sorted(both) == ["scenarios/catalog/bug.py", "scenarios/styles/index.py"]
