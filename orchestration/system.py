"""The orchestrated order system of one run: a state machine that calls four services."""

import asyncio
from collections.abc import AsyncIterator, Collection, Iterable, Mapping
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

from kernel.environment import Environment
from kernel.messages import Order, order_json
from kernel.orders import TERMINAL
from kernel.participants import Participants
from kernel.ports import Ledgers, Parked, Settlement
from kernel.settling import settle
from orchestration.saga_definition import saga_definition
from orchestration.step_functions import StepFunctions
from orchestration.timeline import message_in, stopped_at

EVENTUALLY, EVENTUALLY_S = 50, 0.01
"""How often, and after which pause, an execution that is listed as failed is looked at again until it is described so."""


async def place(
    order: Order, *, step_functions: StepFunctions, machine_arn: str, environment: Environment
) -> str:
    """Place an order; returns the status shown to the customer. Accepted = StartExecution has answered; the execution's name is the order_id."""
    environment.saga.codec.check_order(order)
    with environment.tracer.span(
        "place order", service="customer", parent="", order_id=order.order_id, kind="client"
    ) as traceparent:
        await step_functions.start(
            machine_arn=machine_arn,
            name=order.order_id,
            document={
                "order": order_json(order),
                "answer": {"message_id": f"{order.order_id}:customer"},
                "traceparent": traceparent,
            },
        )
    return "PENDING" if environment.guards.semantic_lock else "CONFIRMED"


class OrchestratedSystem:
    """The SagaSystem port over Step Functions. Open it with `async with OrchestratedSystem.open(...)`."""

    def __init__(
        self,
        *,
        participants: Participants,
        step_functions: StepFunctions,
        machine_arn: str,
        definition: dict[str, Any],
        environment: Environment,
    ) -> None:
        self._participants, self._step_functions = participants, step_functions
        self._machine_arn, self._definition = machine_arn, definition
        self._environment = environment
        self._saga, self._policy, self._guards = (
            environment.saga,
            environment.policy,
            environment.guards,
        )
        self._tracer, self._clock = environment.tracer, environment.clock

    @classmethod
    @asynccontextmanager
    async def open(
        cls,
        *,
        participants: Participants,
        step_functions: StepFunctions,
        name: str,
        environment: Environment,
    ) -> AsyncIterator["OrchestratedSystem"]:
        """Create the run's state machine, called `name`."""
        definition = saga_definition(environment)
        arn = await step_functions.create(name=name, definition=definition)
        yield cls(
            participants=participants,
            step_functions=step_functions,
            machine_arn=arn,
            definition=definition,
            environment=environment,
        )

    @property
    def machine_arn(self) -> str:
        """The run's state machine."""
        return self._machine_arn

    async def start(self, order: Order) -> str:
        """See ports.SagaSystem."""
        return await place(
            order,
            step_functions=self._step_functions,
            machine_arn=self._machine_arn,
            environment=self._environment,
        )

    async def outcome(self, order_id: str) -> str:
        """See ports.SagaSystem. The customer asks the conductor: DescribeExecution.

        A failed execution only says that the conductor knows no more; then the order service is asked.
        """
        found = await self._step_functions.describe(self._execution(order_id))
        match found.get("status"):
            case None:
                return "UNKNOWN"
            case "SUCCEEDED":
                return "CONFIRMED"
            case "RUNNING":
                return "PENDING" if self._guards.semantic_lock else "CONFIRMED"
            case _:
                told = self._saga.ends.get(found.get("error", ""), "PARKED")
                status = await self._participants.status(order_id)
                return status if told == "PARKED" and status in TERMINAL else told

    async def settle(self, order_ids: Iterable[str], *, deadline_s: float) -> Settlement:
        """See ports.SagaSystem. Then wait until DescribeExecution agrees with ListExecutions: it may lag behind for a moment."""
        settlement = await settle(
            order_ids,
            participants=self._participants,
            under_way=self.backlog,
            parked=self.parked,
            policy=self._policy,
            clock=self._clock,
            deadline_s=deadline_s,
        )
        await self._clock.sleep(EVENTUALLY_S)
        return settlement

    async def parked(self) -> list[Parked]:
        """See ports.SagaSystem: the failed executions that did not end in a compensated order."""
        statuses = await self._participants.statuses()
        found = []
        for status in ("FAILED", "TIMED_OUT", "ABORTED"):
            for arn in await self._step_functions.executions(self._machine_arn, status=status):
                order_id = arn.rpartition(":")[2]
                if statuses.get(order_id) not in TERMINAL:
                    found.append(await self._failed(order_id))
        return sorted(found, key=lambda saga: saga.order_id)

    async def show(self, parked_id: str) -> dict[str, Any]:
        """See ports.Operator: the execution, and its history."""
        execution = await self._step_functions.describe(self._execution(parked_id))
        if not execution:
            return {}
        events = await self._step_functions.history(self._execution(parked_id))
        told = {k: v.isoformat() if isinstance(v, datetime) else v for k, v in execution.items()}
        return {"parked_id": parked_id, **told, "events": events}

    async def redrive(self, parked_ids: Collection[str]) -> list[Parked]:
        """See ports.Operator: RedriveExecution, from the state that failed."""
        chosen = [saga for saga in await self.parked() if saga.parked_id in parked_ids]
        for saga in chosen:
            await self._step_functions.redrive(self._execution(saga.order_id))
        return chosen

    async def discard(self, parked_ids: Collection[str]) -> list[Parked]:
        """See ports.Operator: Step Functions keeps a failed execution, so nothing can be discarded."""
        return []

    async def kept(self) -> list[dict[str, Any]]:
        """See ports.Operator: nothing, a failed execution is in the engine's history."""
        return []

    async def restore(self, kept: list[dict[str, Any]]) -> None:
        """See ports.Operator."""

    async def _failed(self, order_id: str) -> Parked:
        """A failed execution as an operator sees it: the last step it tried, and that step's own error."""
        execution = await self._step_functions.describe(self._execution(order_id))
        for _ in range(EVENTUALLY):
            if execution.get("status") != "RUNNING":
                break
            # LOOK: what is listed as failed may still be described as running for a moment, here and on AWS.
            await self._clock.sleep(EVENTUALLY_S)
            execution = await self._step_functions.describe(self._execution(order_id))
        events = await self._step_functions.history(self._execution(order_id))
        timed_out = execution.get("status") == "TIMED_OUT"
        why = f"{execution.get('error')}: {message_in(execution.get('cause', ''))}"
        if timed_out:  # such an execution has no error of its own
            why = "TIMED_OUT: open past the saga deadline"
        return Parked(
            order_id=order_id,
            operation=stopped_at(events),
            where="failed execution",
            why=why,
            parked_id=order_id,
            reported=timed_out,
        )

    async def backlog(self) -> int:
        """See ports.SagaSystem."""
        return len(await self._step_functions.executions(self._machine_arn, status="RUNNING"))

    async def ledgers(self) -> Ledgers:
        """See ports.SagaSystem."""
        return await self._participants.ledgers()

    async def evidence(self, order_id: str = "") -> Mapping[str, list[dict[str, Any]]]:
        """See ports.SagaSystem: GetExecutionHistory of every execution, and the state machine."""
        if order_id:
            arn = self._execution(order_id)
            executions = [arn] if await self._step_functions.describe(arn) else []
        else:
            executions = sorted(await self._step_functions.executions(self._machine_arn))
        histories = await asyncio.gather(*map(self._history, executions))
        return {"histories": histories, "definition": [self._definition]}

    async def aclose(self) -> None:
        """See ports.SagaSystem. The engine and its history go with the run."""

    async def _history(self, execution: str) -> dict[str, Any]:
        events = await self._step_functions.history(execution)
        return {"order_id": execution.rpartition(":")[2], "events": events}

    def _execution(self, order_id: str) -> str:
        return f"{self._machine_arn.replace(':stateMachine:', ':execution:')}:{order_id}"
