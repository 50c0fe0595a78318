"""One channel of a client's connection: what its consumers hold, the confirms that it owes, and every method that it answers."""

import contextlib
import random
from collections.abc import Callable
from typing import Any, Protocol, cast

from pamqp import commands as spec
from pamqp.base import Frame

from choreography.rabbit_model.frames import (
    HEADER,
    body_size,
    of_content,
    of_method,
)
from choreography.rabbit_model.queues import Consumer, Message, Queue, Stored
from choreography.rabbit_model.vhost import Refused, Vhost


class Connection(Protocol):
    """What a channel needs of the connection that it is on."""

    @property
    def vhost(self) -> Vhost:
        """Where the queues are."""
        ...

    def send(self, data: bytes) -> None:
        """Send frames to the client."""
        ...

    def soon(self, act: Callable[[], None]) -> None:
        """Do it after what is being answered."""
        ...

    def owes(self, channel: "Channel") -> None:
        """A channel has a confirm to send."""
        ...

    def forget(self, channel: "Channel") -> None:
        """A channel is closed."""
        ...

    def refuse(self, channel: "Channel", error: Refused, frame: Frame | None) -> None:
        """Close a channel because of an error. Until the client agrees, what it sends there is dropped."""
        ...


class Channel:
    """One channel: what its consumers hold, and the confirms that it owes."""

    def __init__(self, session: Connection, number: int) -> None:
        self._session, self._vhost, self.number = session, session.vhost, number
        self._consumers: dict[str, tuple[Consumer, Queue]] = {}
        self._unacked: dict[int, tuple[Queue, Stored, Consumer | None]] = {}
        self._tag, self._prefetch = 0, 0
        self._published, self._confirms = 0, False
        self._owed: dict[int, bool] = {}
        """Sequence number of a publish -> whether it is durable."""
        self._content: tuple[spec.Basic.Publish, bytes, bytearray] | None = None
        self._publishing: spec.Basic.Publish | None = None
        self.closing = False

    def content(self, kind: int, payload: bytes) -> None:
        """The header or a piece of the body of what is being published."""
        if kind == HEADER and self._publishing is not None:
            self._content, self._publishing = (self._publishing, payload, bytearray()), None
        elif self._content is not None:
            self._content[2].extend(payload)
        if self._content is not None:
            publish, header, body = self._content
            if len(body) >= body_size(header):
                self._content = None
                self._publish(publish, header, bytes(body))

    def called(self, frame: Frame) -> Frame | None:
        """The answer to a method; None = there is none. Raise Refused, NotImplementedError."""
        answer = getattr(self, f"_on_{frame.name.replace('.', '_').lower()}", None)
        if answer is None:
            raise NotImplementedError(frame.name)
        answered: Frame | None = answer(frame)
        return None if getattr(frame, "nowait", False) else answered

    def leave(self) -> None:
        """What is in hand goes back to where it was."""
        for consumer, queue in self._consumers.values():
            with contextlib.suppress(ValueError):
                queue.consumers.remove(consumer)
        self._consumers.clear()
        held, self._unacked = list(self._unacked.values()), {}
        queues = {}
        for queue, stored, _ in held:
            if stored in queue.in_hand:
                self._vhost.reject(queue, stored, requeue=True)
                queues[queue.name] = queue
        for queue in queues.values():
            queue.dispatch()
        self._owed.clear()

    def send_confirms(self, chance: random.Random | None) -> None:
        """Confirm what is durable: as one as far as nothing is missing, or each alone, in any order."""
        done = [tag for tag, durable in self._owed.items() if durable]
        if not done:
            return
        if chance is not None and chance.random() < 0.5:
            chance.shuffle(done)
        else:
            missing = next((tag for tag, durable in self._owed.items() if not durable), None)
            upto = [tag for tag in done if missing is None or tag < missing]
            if len(upto) > 1:
                self._send(spec.Basic.Ack(delivery_tag=upto[-1], multiple=True))
                for tag in upto:
                    del self._owed[tag]
                done = done[len(upto) :]
        for tag in done:
            del self._owed[tag]
            self._send(spec.Basic.Ack(delivery_tag=tag))

    def _send(self, frame: Frame, content: bytes = b"") -> None:
        self._session.send(of_method(frame, self.number) + content)

    def _publish(self, publish: spec.Basic.Publish, header: bytes, body: bytes) -> None:
        message = Message(
            exchange=publish.exchange or "",
            routing_key=publish.routing_key or "",
            header=header,
            body=body,
        )
        confirm: Callable[[], None] | None = None
        tag = 0
        if self._confirms:
            self._published += 1
            tag = self._published
            self._owed[tag] = False

            def durable() -> None:
                if tag in self._owed:
                    self._owed[tag] = True
                    self._session.owes(self)

            confirm = durable

        try:
            routed, refused = self._vhost.publish(message, confirm)
        except Refused as error:
            self._session.refuse(self, error, publish)
            return
        if refused and tag:
            del self._owed[tag]
            self._send(spec.Basic.Nack(delivery_tag=tag, requeue=False))
        elif not routed:
            if publish.mandatory:
                returned = spec.Basic.Return(
                    reply_code=312,
                    reply_text="NO_ROUTE",
                    exchange=message.exchange,
                    routing_key=message.routing_key,
                )
                self._send(returned, of_content(header, body, self.number))
            if tag:
                del self._owed[tag]
                self._send(spec.Basic.Ack(delivery_tag=tag))

    def _take(self, consumer: Consumer, queue: Queue, stored: Stored) -> None:
        """Send one message to a consumer."""
        self._tag += 1
        self._unacked[self._tag] = queue, stored, consumer
        message = stored.message
        deliver = spec.Basic.Deliver(
            consumer_tag=consumer.tag,
            delivery_tag=self._tag,
            redelivered=stored.redelivered,
            exchange=message.exchange,
            routing_key=message.routing_key,
        )
        self._send(deliver, of_content(message.header, message.body, self.number))

    def _cancelled(self, consumer: Consumer) -> None:
        """Its queue is gone."""
        self._consumers.pop(consumer.tag, None)
        self._send(spec.Basic.Cancel(consumer_tag=consumer.tag, nowait=True))

    def _settled(self, tag: int, *, multiple: bool) -> list[tuple[Queue, Stored]]:
        """What an ack is about, out of hand. Raise Refused if it is about nothing."""
        tags = [t for t in self._unacked if t <= tag or not tag] if multiple else [tag]
        if tag and tag not in self._unacked and not (multiple and tags):
            raise Refused(406, f"PRECONDITION_FAILED - unknown delivery tag {tag}")
        found = []
        for one in tags:
            queue, stored, consumer = self._unacked.pop(one)
            if consumer is not None:
                consumer.in_hand -= 1
            if stored in queue.in_hand:
                found.append((queue, stored))
        return found

    def _on_channel_close(self, _: spec.Channel.Close) -> Frame:
        self.leave()
        self._session.forget(self)
        return spec.Channel.CloseOk()

    def _on_channel_closeok(self, _: spec.Channel.CloseOk) -> None:
        self._session.forget(self)

    def _on_channel_flow(self, frame: spec.Channel.Flow) -> Frame:
        return spec.Channel.FlowOk(active=frame.active)

    def _on_confirm_select(self, _: spec.Confirm.Select) -> Frame:
        self._confirms = True
        return spec.Confirm.SelectOk()

    def _on_exchange_declare(self, frame: spec.Exchange.Declare) -> Frame:
        kind, passive = frame.exchange_type or "", bool(frame.passive)
        self._vhost.declare_exchange(frame.exchange or "", kind, passive=passive)
        return spec.Exchange.DeclareOk()

    def _on_exchange_delete(self, frame: spec.Exchange.Delete) -> Frame:
        self._vhost.delete_exchange(frame.exchange or "")
        return spec.Exchange.DeleteOk()

    def _on_queue_declare(self, frame: spec.Queue.Declare) -> Frame:
        queue = self._vhost.declare_queue(
            frame.queue or "",
            durable=bool(frame.durable),
            passive=bool(frame.passive),
            arguments=cast("dict[str, Any]", frame.arguments or {}),
        )
        return spec.Queue.DeclareOk(
            queue=queue.name,
            message_count=len(queue.ready),
            consumer_count=len(queue.consumers),
        )

    def _on_queue_bind(self, frame: spec.Queue.Bind) -> Frame:
        self._vhost.bind(frame.queue or "", frame.exchange or "", frame.routing_key or "")
        return spec.Queue.BindOk()

    def _on_queue_unbind(self, frame: spec.Queue.Unbind) -> Frame:
        self._vhost.unbind(frame.queue or "", frame.exchange or "", frame.routing_key or "")
        return spec.Queue.UnbindOk()

    def _on_queue_delete(self, frame: spec.Queue.Delete) -> Frame:
        return spec.Queue.DeleteOk(message_count=self._vhost.delete_queue(frame.queue or ""))

    def _on_queue_purge(self, frame: spec.Queue.Purge) -> Frame:
        return spec.Queue.PurgeOk(message_count=self._vhost.purge(frame.queue or ""))

    def _on_basic_qos(self, frame: spec.Basic.Qos) -> Frame:
        self._prefetch = frame.prefetch_count or 0
        return spec.Basic.QosOk()

    def _on_basic_consume(self, frame: spec.Basic.Consume) -> Frame:
        queue = self._vhost.queue(frame.queue or "")
        tag = frame.consumer_tag or f"ctag-{self.number}-{len(self._consumers)}"
        consumer = Consumer(
            tag=tag, prefetch=self._prefetch, take=self._take, cancelled=self._cancelled
        )
        self._consumers[tag] = consumer, queue
        queue.consumers.append(consumer)
        self._session.soon(queue.dispatch)  # after ConsumeOk
        return spec.Basic.ConsumeOk(consumer_tag=tag)

    def _on_basic_cancel(self, frame: spec.Basic.Cancel) -> Frame:
        tag = frame.consumer_tag or ""
        if (known := self._consumers.pop(tag, None)) is not None:
            consumer, queue = known
            queue.consumers.remove(consumer)
        return spec.Basic.CancelOk(consumer_tag=tag)

    def _on_basic_get(self, frame: spec.Basic.Get) -> Frame | None:
        queue = self._vhost.queue(frame.queue or "")
        if not queue.ready:
            return spec.Basic.GetEmpty()
        self._tag += 1
        stored = queue.ready.pop(0)
        queue.in_hand[stored] = None
        stored.delivered = True
        self._unacked[self._tag] = queue, stored, None
        message = stored.message
        answer = spec.Basic.GetOk(
            delivery_tag=self._tag,
            redelivered=stored.redelivered,
            exchange=message.exchange,
            routing_key=message.routing_key,
            message_count=len(queue.ready),
        )
        self._send(answer, of_content(message.header, message.body, self.number))
        return None

    def _on_basic_publish(self, frame: spec.Basic.Publish) -> None:
        self._publishing = frame

    def _on_basic_ack(self, frame: spec.Basic.Ack) -> None:
        settled = self._settled(frame.delivery_tag or 0, multiple=bool(frame.multiple))
        for queue, stored in settled:
            self._vhost.ack(queue, stored)
        self._dispatch(settled)

    def _on_basic_nack(self, frame: spec.Basic.Nack | spec.Basic.Reject) -> None:
        multiple = bool(getattr(frame, "multiple", False))
        settled = self._settled(frame.delivery_tag or 0, multiple=multiple)
        for queue, stored in settled:
            self._vhost.reject(queue, stored, requeue=bool(frame.requeue))
        self._dispatch(settled)

    _on_basic_reject = _on_basic_nack

    def _dispatch(self, settled: list[tuple[Queue, Stored]]) -> None:
        for queue in {queue.name: queue for queue, _ in settled}.values():
            queue.dispatch()
