"""`saga list`."""

import json

from rich.table import Table

from kernel.guards import OFF
from kernel.loading import DEFAULT, load_saga
from scenarios.catalog.bugs import bugs_of
from scenarios.catalog.index import scenarios_of
from scenarios.faults.plan import MEANING
from scenarios.styles.index import STYLES
from testbed.execution import wide
from testbed.options import AsJson, SagaOption


def list_all(saga: SagaOption = DEFAULT, as_json: AsJson = False) -> None:
    """List scenarios, faults, guards and planted bugs, with one line each."""
    chosen = load_saga(saga)
    kinds = {
        "scenarios": {
            name: " ".join(s.description.split()) for name, s in scenarios_of(chosen).items()
        },
        "faults": {str(moment): text for moment, text in MEANING.items()},
        "guards": {name: f"off: {text}{_no_counterpart(name)}" for name, text in OFF.items()},
        "bugs": {name: bug.words for name, bug in bugs_of(chosen.address).items()},
        "styles": {name: style.words for name, style in STYLES.items()},
    }
    if as_json:
        print(json.dumps({"schema": 1, "ok": True, **kinds}))
        return
    for title, entries in kinds.items():
        table = Table("name", "what it is", title=title, title_justify="left")
        for name, text in entries.items():
            table.add_row(name, text)
        wide().print(table)


def _no_counterpart(guard: str) -> str:
    styles = [name for name, style in STYLES.items() if guard in style.guards_without]
    return f" (no counterpart in {', '.join(styles)})" if styles else ""
