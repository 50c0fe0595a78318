"""docs/changes.md: what four changes of a flow touch in each style."""

from bench.changes.cost import Touched
from bench.changes.folders import changes, described
from report.change_tables import COLUMNS, lines
from report.text_table import Row, markdown
from scenarios.styles.index import STYLES
from testbed.commands.change import cost_of

_START = """# What a change costs

How much of a system does a change of its flow touch? `saga change` makes each change for real, as a saga folder, and compares it with the folder before. The saga is the small one that `saga new` makes (desk, store, till);
`saga change NAME --make DIR` writes both folders, which `saga check` and every other command take.
"""
_END = """
## How it is computed
- **Services touched.** In both styles a service is touched if its own module changes, and by every change of the payload, since a message carries the whole order. In choreography a service is touched, too, if the rows of
  `reactions.py` that it runs are others: it has to know what comes before it. In orchestration that knowledge is in the state machine's page, which belongs to the conductor.
- **Files and lines.** What runs in production: participants, messages, rows, and the style's own page (`reactions.py` or `saga.asl.json`). The testbed's own files (laws, words, workload) are left out.
- **Order of deployment.** Who hears a new event is deployed before who announces it. A conductor comes last.
- **Old and new at once.** Choreography: no, if an event that there was before is now for another service, because between the two deployments both act on it, or nobody. Orchestration: an execution in flight keeps the page
  with which it began, so it is enough that the services are there before the new page. A payload that the other version cannot read stops both.

## What it does not say
These answers are derived from the tables of reactions and the pages. Both versions were **not** run together with sagas in flight. A fifth change, another service that only listens, is missing: a saga folder cannot express a listener yet, as
its last row ends the saga. And a versioned payload, a feature switch or a second queue make any of these changes possible without a pause, at the price of more work.
"""


def counted(found: dict[str, list[Touched]], style: str) -> str:
    """How many of the changes need a pause, and deployments of all of them together, in one style."""
    own = [one for each in found.values() for one in each if one.style == style]
    n = sum(bool(one.pause) for one in own)
    return f"{n} of {len(own)} need{'s' if n == 1 else ''} a pause; {sum(len(one.redeploy) for one in own)} deployments"


def changes_page() -> str:
    """The whole page."""
    found = {name: cost_of(name) for name in changes()}
    rows: list[Row] = [row for name, each in found.items() for row in lines(described(name)["words"], each)]  # fmt: skip
    summary = "".join(f"- **{style}**: {counted(found, style)}\n" for style in STYLES)
    return f"{_START}\n{summary}\n{markdown(COLUMNS, rows)}{_END}"
