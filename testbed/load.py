"""Reading what a report is made of, with progress."""

from pathlib import Path

from rich.console import Console

from report.found import Found, collect


def collected(folder: Path) -> Found:
    """Everything at or below a folder; a terminal shows what is being read."""
    console = Console(stderr=True)
    with console.status("reading") as status:
        return collect(folder, told=lambda text: status.update(f"reading {text}"))
