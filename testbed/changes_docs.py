"""docs/changes.md: what five changes cost in each style, from the data of the last `saga change --write`."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bench.changes.rollout import EVERY_S, FIRST_S, LAST_S, SERVICE_S
from report.change_tables import comparison, owners, rollouts, summary
from report.text_table import markdown

DATA = Path(__file__).parents[1] / "docs" / "data" / "changes.json"

_INTRO = """\
# What a change costs

Coupling is what has to change together. Five changes of the order saga are made for real, each as a patch
([bench/changes/patches](../bench/changes/patches)) that makes a complete saga folder; everything below is computed from the old and the
new folder, or comes from running both versions together. Data: [data/changes.json](data/changes.json), {date}, `{command}`; one change with
every order of deployment that was tried: `saga change NAME`.

{summary}

{table}
- **services**: those of which a rule differs or, in the choreography, a reaction; **files** and **lines** are those that something deployed is made of:
  participants, `messages.py`, and `reactions.py` or the state machine. Files that only the testbed reads (`saga.py`, `laws.py`, `words.py`,
  `workload.py`) are not counted; who gets which lines is in the tables below.
- **redeployed, in order**: whoever must understand a new message or field comes before whoever sends it first. The client is whoever places orders.
- **old and new at once**: {orders} orders, one every {every:g} s, a quarter of them refusable; participants work {low:g} to {high:g} s on a command; parts are replaced
  one after the other from second {first:g} to {last:g}. *safe*: clean in this order and in the reverse one; *ordered*: clean in the order shown, and not in every order;
  *unsafe*: in none that was tried. The worst of seeds {seeds} is shown, under virtual time.

*Clean* means that every order ended as it should by the old version's rules or by the new one's, judged by the participants' ledgers as in any other run,
that stock adds up, and that nothing failed is left for an operator.
"""
_NOT_COVERED = """\
## What is not covered
- A version in between that understands old and new messages (expand and contract): only the two versions run. What it would save is not measured.
- Changes of a table: the databases have the new version's tables from the beginning.
- A service that is down between its two versions, and two instances of one service of different versions at the same time: a service is replaced at one
  moment. What it had in hand comes again from its queue (choreography) or is finished by the old function (orchestration, as on AWS Lambda).
- Faults: nothing else breaks meanwhile. The new versions alone are run under faults by `tests/integration/test_changes.py`.
- RabbitMQ keeps an old binding until somebody removes it. Here a deployment removes the bindings that the new version does not have, and messages
  that wait in the queue stay in it.
"""


def changes_page() -> str:
    """The page."""
    found = json.loads(DATA.read_text(encoding="utf-8"))
    text = _INTRO.format(
        date=found["date"],
        command=found["command"],
        summary=summary(found),
        table=markdown(*comparison(found)),
        orders=found["orders"],
        every=EVERY_S,
        low=SERVICE_S[0],
        high=SERVICE_S[1],
        first=FIRST_S,
        last=LAST_S,
        seeds=", ".join(map(str, found["seeds"])),
    )
    return text + "".join(f"\n{_section(one)}" for one in found["changes"]) + f"\n{_NOT_COVERED}"


def _section(change: Mapping[str, Any]) -> str:
    return (
        f"## {change['change']}\n\n"
        f"{change['words']} {change['shows']}\n\n"
        f"{markdown(*owners(change))}\n"
        f"{markdown(*rollouts(change))}"
    )
