"""A state that has been entered: what its handler works on."""

from dataclasses import dataclass
from typing import Any

from orchestration.engine.branch import Branch
from orchestration.engine.history import Event
from orchestration.engine.jsonata_query import JsonataQuery
from orchestration.engine.paths import Scope
from orchestration.engine.query import JsonPath, Query, State

QUERIES: dict[str, Query] = {"JSONPath": JsonPath(), "JSONata": JsonataQuery()}


@dataclass(slots=True)
class Entered:
    """`event`: its ...StateEntered. `led_by`: the event before that. `inside`: its branches are running.

    `language`: the state's; `outer_language`: the machine's, which states inside of it speak unless they say otherwise.
    """

    branch: Branch
    name: str
    state: State
    data: Any
    event: Event
    led_by: int
    query: Query
    language: str
    outer_language: str
    retries: int = 0
    inside: bool = False

    def scope(self, *, token: str | None = None) -> Scope:
        """What the state's expressions may look at."""
        return self.branch.scope(self.name, self.event, retries=self.retries, token=token)
