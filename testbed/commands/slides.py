"""`saga slides`: the deck of the workshop."""

from pathlib import Path
from typing import Annotated

import typer

from kernel.errors import UsageError
from report.slides import Slide, deck
from testbed.labs.lab import every_lab

DOCS = Path(__file__).parents[2] / "docs"


def slides(
    out: Annotated[Path, typer.Option(help="The page to write.")] = Path("slides.html"),
) -> None:
    """Write the slides of the workshop as one page, with figures and pictures of the documentation. Needs no network."""
    text = deck(DOCS, [labs()])
    try:
        out.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{out} cannot be written: {error.strerror}") from error
    print(out)


def labs() -> Slide:
    """What the room will write."""
    rows = (
        (str(lab.number), lab.title, lab.goal, f"{lab.minutes}\N{NO-BREAK SPACE}min")
        for lab in every_lab()
    )
    return Slide(
        title="What you will write",
        rows=(("", "lab", "goal", "time"), *rows),
        command="saga lab list",
    )
