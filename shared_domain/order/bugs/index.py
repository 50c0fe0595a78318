"""Every planted bug, by name."""

from scenarios.catalog.bug import Bug
from shared_domain.order.bugs import coordination, participants

BUGS: dict[str, Bug] = {bug.name: bug for bug in (*participants.BUGS, *coordination.BUGS)}
