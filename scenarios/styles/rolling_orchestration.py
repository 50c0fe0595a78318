"""Two versions of an orchestration at once, on the engine in this process: functions are replaced, and so is the state machine.

Executions that run keep the definition with which they were started. Source: AWS Step Functions API reference, UpdateStateMachine.
"""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from kernel.environment import Environment
from kernel.participants import Participants, open_participants
from orchestration.engine.errors import StatesError
from orchestration.engine.invoker import function_of
from orchestration.engine_host import InProcessEngine, running
from orchestration.saga_definition import saga_definition
from orchestration.step_functions import StepFunctions, direct_call
from orchestration.system import OrchestratedSystem
from orchestration.tasks import TaskWorker, in_process_invoker
from scenarios.runs.rollout import CONDUCTOR, Rollout, Versions


class _Functions:
    """The functions that are deployed now. A call that one of them has in hand when it is replaced is finished by it, as on AWS Lambda."""

    def __init__(self, versions: Versions, participants: Participants) -> None:
        self._versions, self._participants = versions, participants
        self._deployed: dict[str, TaskWorker] = {}
        self._invoke = in_process_invoker(self._deployed)
        for name in versions.old.saga.services:
            self._put(name, versions.old)

    def _put(self, name: str, environment: Environment) -> None:
        participant = self._participants.by_name[name]
        self._deployed[name] = TaskWorker(participant, environment.tracer, environment.saga.codec)

    def replace(self, name: str) -> None:
        """The new version of one function."""
        self._versions.replaced(self._participants, name)
        self._put(name, self._versions.new)

    async def invoke(self, resource: str, payload: str) -> str:
        """See Invoke: a function that is not deployed cannot be called."""
        name = function_of(resource)[0]
        if name not in self._deployed:
            raise StatesError("Lambda.ResourceNotFoundException", f"Function not found: {name}")
        return await self._invoke(resource, payload)


@asynccontextmanager
async def rolling(versions: Versions) -> AsyncIterator[Rollout]:
    """The old version, ready to be replaced."""
    old, new = versions.old, versions.new
    async with AsyncExitStack() as stack:
        opened = await stack.enter_async_context(open_participants(versions.folder, new))
        participants = versions.before(opened)
        functions = _Functions(versions, participants)
        engine = InProcessEngine(
            versions.folder,
            invoke=functions.invoke,
            clock=old.clock,
            time_scale=old.policy.time_scale,
            durability=old.durability,
            entropy=bytes,
        )
        await stack.enter_async_context(running(engine))
        step_functions = StepFunctions(direct_call(engine.engine))
        arn = await step_functions.create(name="saga-rollout", definition=saga_definition(old))

        async def deploy(part: str) -> None:
            if part == CONDUCTOR:
                await step_functions.update(arn, definition=saga_definition(new))
            else:
                functions.replace(part)

        def seen_by(environment: Environment) -> OrchestratedSystem:
            return OrchestratedSystem(
                participants=participants,
                step_functions=step_functions,
                machine_arn=arn,
                definition=saga_definition(environment),
                environment=environment,
            )

        async def failed() -> set[str]:
            found = set[str]()
            for execution in await step_functions.executions(arn, status="FAILED"):
                described = await step_functions.describe(execution)
                if described.get("error") not in new.saga.ends:
                    found.add(execution.rpartition(":")[2])
            return found

        yield Rollout(
            old=seen_by(old),
            new=seen_by(new),
            participants=participants,
            deploy=deploy,
            failed=failed,
        )
