"""The labs as pages of the documentation, made from their folders."""

import re
from collections.abc import Callable

from testbed.labs.folders import sheet_of
from testbed.labs.lab import Lab, every_lab


def labs_page() -> str:
    """The list of the labs, and how one works with them."""
    rows = "".join(
        f"| {lab.number} | [{lab.title}]({lab.name}.md) | {lab.minutes} | {lab.goal} | {_edited(lab)} |\n"
        for lab in every_lab()
    )
    return (
        "# Labs\n\n"
        "Lessons in which you write the code. Each takes 25 to 40 minutes and stands alone; 2, 4 and 6 are the heart of a short workshop. You need the testbed\n"
        "(`make demo` has been run), an editor, and some Python and JSON. Work in a folder of your own with `.venv` activated.\n\n"
        "| | lab | minutes | goal | you edit |\n|---|---|---|---|---|\n"
        f"{rows}\n"
        "| command | what it does |\n|---|---|\n"
        "| `saga lab list` | the labs |\n"
        "| `saga lab start 2` | makes `lab2/`: the sheet, and a saga with something missing; it never writes over anything |\n"
        "| `saga lab check 2` | simulates scenarios and faults with your code, and judges each order by the ledgers: which parts pass, the first one that fails with the"
        " command that replays it, and one hint |\n"
        "| `saga lab hint 2` | one hint after the other |\n"
        "| `saga lab solve 2` | makes `lab2_solution/` beside yours, with answers to the questions |\n\n"
        "`check` exits with 0 if all passes, 1 if not yet, 2 if your files cannot be read (it names file and line). It runs your code in a process of its own: what it\n"
        "prints is in `lab2/printed.txt`, a loop without end is ended after ten seconds, and the line is named. All of it is simulated, so ten minutes of timeouts take\n"
        "milliseconds. Inside of the folder `saga lab check 2` works, too.\n"
    )


def sheet_pages() -> dict[str, Callable[[], str]]:
    """Path below docs/ -> what makes the page, for each sheet."""
    return {f"labs/{lab.name}.md": lambda lab=lab: _page(lab) for lab in every_lab()}  # type: ignore[misc]


def _page(lab: Lab) -> str:
    return re.sub(r"\]\(\.\./\.\./docs/", "](../", sheet_of(lab))


def _edited(lab: Lab) -> str:
    return ", ".join(f"`{name}`" for name in lab.listed("edit"))
