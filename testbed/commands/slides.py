"""`saga slides`: the deck of the workshop."""

from pathlib import Path
from typing import Annotated

import typer

from kernel.errors import UsageError
from report.slides import deck

DOCS = Path(__file__).parents[2] / "docs"


def slides(
    out: Annotated[Path, typer.Option(help="The page to write.")] = Path("slides.html"),
) -> None:
    """Write the slides of the workshop as one page, with figures and pictures of the documentation. Needs no network."""
    text = deck(DOCS)
    try:
        out.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{out} cannot be written: {error.strerror}") from error
    print(out)
