"""Bugs to plant in the production adapters: in what RabbitMQ's does, and in what boto3 and the engine's HTTP side do.

Each is a mistake that somebody has made with such an adapter. Those in RabbitMQ's cannot be seen over the embedded broker at all.
"""

import asyncio
import contextlib
from dataclasses import dataclass
from unittest.mock import patch

import aiormq.channel

from choreography import rabbit_consumer, rabbit_publisher, rabbit_topology
from choreography.rabbit_connection import LOST
from choreography.rabbit_publisher import Publisher
from orchestration import server, step_functions
from orchestration.engine import invoker
from orchestration.engine.errors import StatesError
from orchestration.engine.service import StepFunctionsEngine
from orchestration.step_functions import StepFunctions

_State, _Acks = rabbit_consumer._State, rabbit_consumer._Acks
_Delivery = rabbit_consumer._Delivery


@dataclass(frozen=True, kw_only=True)
class AdapterBug:
    """A bug: what is replaced by what, and within how many schedules exploration must find it."""

    target: object
    name: str
    value: object
    within: int
    words: str

    @contextlib.contextmanager
    def planted(self):
        """As long as the context is open, it is in the code."""
        with patch.object(self.target, self.name, self.value):
            yield


# -- the consumer


async def _multiple_past_what_is_held(self, *, wait):
    done = [t for t, s in self._deliveries.items() if s is _State.DONE]
    for tag in [t for t, s in self._deliveries.items() if s is _State.BACK]:
        await self._channel.basic_nack(tag, requeue=True, wait=wait)
        del self._deliveries[tag]
    if done:
        await self._channel.basic_ack(done[-1], multiple=True, wait=wait)
        for tag in [t for t in self._deliveries if t <= done[-1]]:
            del self._deliveries[tag]


async def _acks_before_nacks(self, *, wait):
    back = [t for t, s in self._deliveries.items() if s is _State.BACK]
    done = [t for t, s in self._deliveries.items() if s is _State.DONE]
    held = next((t for t, s in self._deliveries.items() if s is _State.HELD), None)
    before = [t for t in done if held is None or t < held]
    if before:
        await self._channel.basic_ack(before[-1], multiple=True, wait=wait)
    for tag in done[len(before) :]:
        await self._channel.basic_ack(tag, wait=wait)
    for tag in back:
        await self._channel.basic_nack(tag, requeue=True, wait=wait)
    for tag in (*done, *back):
        del self._deliveries[tag]


async def _nacks_forgotten(self, *, wait):
    for tag in [t for t, s in self._deliveries.items() if s is _State.BACK]:
        del self._deliveries[tag]
    for tag in [t for t, s in self._deliveries.items() if s is _State.DONE]:
        await self._channel.basic_ack(tag, wait=wait)
        del self._deliveries[tag]


async def _one_batch_of_acks(self):
    with contextlib.suppress(*LOST):
        await asyncio.sleep(rabbit_consumer.ACK_PAUSE_S)
        await self._send(wait=False)
        await asyncio.Event().wait()


async def _acked_instead_of_requeued(self):
    await self.ack()


async def _attempts_forgotten(self, failed):
    await self._move(f"{self._service}.retry.{failed.number}", self.envelope, {})
    await self.ack()


async def _dead_letter_dropped(self, operation, reason, failed):
    await self.ack()


_consume = rabbit_consumer._consume


async def _never_again(*arguments, **options):
    with contextlib.suppress(*LOST):
        await _consume(*arguments, **options)
    await asyncio.Event().wait()


# -- the publisher


async def _not_waited_for(self, body, properties, exchange, routing_key):
    await self._unblocked()

    async def send():
        with contextlib.suppress(*LOST, asyncio.CancelledError):
            await self._channel.basic_publish(
                body, exchange=exchange, routing_key=routing_key, properties=properties, wait=False
            )

    sending = asyncio.ensure_future(send())
    _in_background.add(sending)
    sending.add_done_callback(_in_background.discard)


_in_background: set[object] = set()
_confirmed = Publisher._confirmed


async def _lost_counts_as_confirmed(self, *arguments):
    with contextlib.suppress(rabbit_publisher.OutcomeUnknown):
        await _confirmed(self, *arguments)


async def _one_confirm_for_all(self, frame):
    for tag in list(self.confirmations):
        self._confirm_delivery(tag, frame)


# -- the topology


def _forgets(self, target):
    return dict(self._type)


def _milliseconds_twice(self):
    queues = _all(self)
    for arguments in queues.values():
        if "x-message-ttl" in arguments:
            arguments["x-message-ttl"] *= 1000
    return queues


_all = rabbit_topology.Queues.all

RABBITMQ = {
    "multiple_past_what_is_held": AdapterBug(
        target=_Acks, name="_send", value=_multiple_past_what_is_held, within=400,
        words="an ack of several takes those with it that are still in hand",
    ),
    "acks_before_nacks": AdapterBug(
        target=_Acks, name="_send", value=_acks_before_nacks, within=400,
        words="an ack of several takes those with it that are to come again",
    ),
    "nacks_forgotten": AdapterBug(
        target=_Acks, name="_send", value=_nacks_forgotten, within=30,
        words="what is to come again stays in hand for ever",
    ),
    "one_batch_of_acks": AdapterBug(
        target=_Acks, name="_tell", value=_one_batch_of_acks, within=30,
        words="the acks of a channel leave once, later ones never",
    ),
    "acked_instead_of_requeued": AdapterBug(
        target=_Delivery, name="requeue", value=_acked_instead_of_requeued, within=30,
        words="a requeue is an ack",
    ),
    "attempts_forgotten": AdapterBug(
        target=_Delivery, name="retry", value=_attempts_forgotten, within=120,
        words="a retry does not know how many there have been",
    ),
    "dead_letter_dropped": AdapterBug(
        target=_Delivery, name="dead_letter", value=_dead_letter_dropped, within=30,
        words="a dead letter is acked without being kept",
    ),
    "never_again": AdapterBug(
        target=rabbit_consumer, name="_consume", value=_never_again, within=60,
        words="a consumer whose connection is lost does not come back",
    ),
    "not_waited_for": AdapterBug(
        target=Publisher, name="_confirmed", value=_not_waited_for, within=100,
        words="a publish counts as confirmed when it is sent",
    ),
    "lost_counts_as_confirmed": AdapterBug(
        target=Publisher, name="_confirmed", value=_lost_counts_as_confirmed, within=100,
        words="a confirm that never came counts as one",
    ),
    "one_confirm_for_all": AdapterBug(
        target=aiormq.channel.Channel, name="_on_confirm_frame", value=_one_confirm_for_all, within=400,
        words="the confirm of one message counts for all that wait",
    ),
    "never_opened_again": AdapterBug(
        target=Publisher, name="is_open", value=property(lambda self: True), within=60,
        words="a publisher whose channel is lost is used for ever",
    ),
    "delay_queue_forgets": AdapterBug(
        target=rabbit_topology.Queues, name="_forwarding", value=_forgets, within=150,
        words="what expires in a delay queue goes nowhere",
    ),
    "delay_in_the_wrong_unit": AdapterBug(
        target=rabbit_topology.Queues, name="all", value=_milliseconds_twice, within=100,
        words="a delay queue holds a message a thousand times as long",
    ),
}  # fmt: skip


# -- StartExecution and whoever asks the engine


async def _no_answer_is_a_yes(self, *, machine_arn, name, document):
    with contextlib.suppress(step_functions.OutcomeUnknown):
        await _start(self, machine_arn=machine_arn, name=name, document=document)


_start = StepFunctions.start
_executions = StepFunctions.executions


async def _failed_ones_are_overlooked(self, machine_arn, *, status=""):
    return [] if status == "FAILED" else await _executions(self, machine_arn, status=status)


# -- the engine's server and its calls of functions


async def _does_not_resume(self):
    return None


_http_invoker = invoker.http_invoker


@contextlib.asynccontextmanager
async def _no_answer_is_null(endpoint, functions=()):
    async with _http_invoker(endpoint, functions) as invoke:

        async def call(resource, payload):
            try:
                return await invoke(resource, payload)
            except StatesError as error:
                if error.error != "Lambda.SdkClientException":
                    raise
                return "null"

        yield call


@contextlib.asynccontextmanager
async def _errors_are_answers(endpoint, functions=()):
    async with _http_invoker(endpoint, functions) as invoke:

        async def call(resource, payload):
            try:
                return await invoke(resource, payload)
            except StatesError as error:
                return error.cause

        yield call


HTTP = {
    "no_answer_is_a_yes": AdapterBug(
        target=StepFunctions, name="start", value=_no_answer_is_a_yes, within=200,
        words="a StartExecution without an answer counts as accepted",
    ),
    "failed_ones_are_overlooked": AdapterBug(
        target=StepFunctions, name="executions", value=_failed_ones_are_overlooked, within=30,
        words="failed executions are not listed",
    ),
    "does_not_resume": AdapterBug(
        target=StepFunctionsEngine, name="resume", value=_does_not_resume, within=60,
        words="an engine that comes back does not go on with its executions",
    ),
    "no_answer_is_null": AdapterBug(
        target=server, name="http_invoker", value=_no_answer_is_null, within=30,
        words="a function that does not answer has answered null",
    ),
    "errors_are_answers": AdapterBug(
        target=server, name="http_invoker", value=_errors_are_answers, within=30,
        words="an error that a function reports is its answer",
    ),
}  # fmt: skip
