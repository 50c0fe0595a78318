"""One client's connection to a modelled node: the server's side of AMQP 0-9-1, as far as a broker of sagas needs it."""

import asyncio
import contextlib
import random
from collections.abc import Callable
from typing import Any, cast

from pamqp import commands as spec
from pamqp.base import Frame

from choreography.rabbit_model.frames import (
    BEAT,
    BODY,
    FRAME_MAX,
    HEADER,
    METHOD,
    Frames,
    body_size,
    method,
    of_content,
    of_method,
)
from choreography.rabbit_model.queues import Consumer, Message, Queue, Stored
from choreography.rabbit_model.vhost import Refused, Vhost

PRODUCT = {"product": "RabbitMQ", "version": "3.10.8", "platform": "a model of it"}
_CAPABILITIES = {
    "publisher_confirms": True,
    "basic.nack": True,
    "consumer_cancel_notify": True,
    "connection.blocked": True,
    "authentication_failure_close": True,
    "per_consumer_qos": True,
}
_MOST_CHANNELS = 2047
_BEAT_S = 60


class _Channel:
    """One channel: what its consumers hold, and the confirms that it owes."""

    def __init__(self, session: "Session", number: int) -> None:
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


class Session(asyncio.Protocol):
    """One connection, from the protocol's header to its end. `ended` is called when it is over."""

    def __init__(
        self, vhost: Vhost, chance: random.Random | None, ended: Callable[["Session"], None]
    ) -> None:
        self.vhost, self._chance, self._ended = vhost, chance, ended
        self._frames = Frames()
        self._channels: dict[int, _Channel] = {}
        self._owing: dict[_Channel, None] = {}
        self._transport: asyncio.Transport | None = None
        self._beating: asyncio.TimerHandle | None = None
        self._open = False

    # -- asyncio's side

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See asyncio."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """See asyncio."""
        greeted = self._frames.greeted
        try:
            for kind, number, payload in self._frames.feed(data):
                if self._transport is None:
                    return
                self._came(kind, number, payload)
        except ValueError:
            self._leave()
            return
        if self._frames.greeted and not greeted:
            self._greet()

    def connection_lost(self, exc: Exception | None) -> None:
        """See asyncio: everything in hand goes back."""
        self._transport = None
        if self._beating is not None:
            self._beating.cancel()
        channels, self._channels = list(self._channels.values()), {}
        for channel in channels:
            channel.leave()
        self._ended(self)

    # -- what the node does to its clients

    @property
    def is_open(self) -> bool:
        """Whether a client has come in and has not left."""
        return self._open and self._transport is not None

    def close(self, text: str) -> None:
        """Close the connection from the node's side."""
        self._close(320, f"CONNECTION_FORCED - {text}")

    def close_channel(self, text: str) -> None:
        """Close the first channel."""
        for channel in list(self._channels.values())[:1]:
            self.refuse(channel, Refused(406, f"PRECONDITION_FAILED - {text}"), None)

    def block(self) -> None:
        """Ask the client to publish no more."""
        self._method(spec.Connection.Blocked(reason="low on memory"))

    def unblock(self) -> None:
        """Let it publish again."""
        self._method(spec.Connection.Unblocked())

    def abort(self) -> None:
        """Lose the connection, without a word."""
        if self._transport is not None:
            self._transport.abort()

    def die(self) -> None:
        """Lose the connection as the node dies: nothing is put back by anybody."""
        self._channels.clear()
        self._owing.clear()
        self.abort()

    def send_confirms(self) -> None:
        """Send the confirms that are owed."""
        owing, self._owing = list(self._owing), {}
        for channel in owing:
            channel.send_confirms(self._chance)

    # -- for channels

    def send(self, data: bytes) -> None:
        """Send frames."""
        if self._transport is not None:
            self._transport.write(data)

    def soon(self, act: Callable[[], None]) -> None:
        """Do it after what is being answered."""
        asyncio.get_running_loop().call_soon(act)

    def owes(self, channel: _Channel) -> None:
        """A channel has a confirm to send."""
        self._owing[channel] = None

    def forget(self, channel: _Channel) -> None:
        """A channel is closed."""
        self._channels.pop(channel.number, None)

    def refuse(self, channel: _Channel, error: Refused, frame: Frame | None) -> None:
        """Close a channel because of an error. Until the client agrees, what it sends there is dropped."""
        channel.leave()
        channel.closing = True
        index = 0 if frame is None else frame.index
        closing = spec.Channel.Close(
            reply_code=error.code,
            reply_text=error.text[:255],
            class_id=index >> 16,
            method_id=index & 0xFFFF,
        )
        self.send(of_method(closing, channel.number))

    # -- the protocol

    def _greet(self) -> None:
        properties: dict[str, Any] = {**PRODUCT, "capabilities": _CAPABILITIES}
        self._method(
            spec.Connection.Start(
                server_properties=properties, mechanisms="PLAIN AMQPLAIN", locales="en_US"
            )
        )

    def _close(self, code: int, text: str) -> None:
        self._method(
            spec.Connection.Close(reply_code=code, reply_text=text, class_id=0, method_id=0)
        )

    def _method(self, frame: Frame) -> None:
        self.send(of_method(frame, 0))

    def _came(self, kind: int, number: int, payload: bytes) -> None:
        if kind in (HEADER, BODY):
            channel = self._channels.get(number)
            if channel is not None and not channel.closing:
                channel.content(kind, payload)
        elif kind == METHOD and number == 0:
            self._of_connection(method(payload))
        elif kind == METHOD:
            self._of_channel(number, method(payload))

    def _of_connection(self, frame: Frame) -> None:
        if isinstance(frame, spec.Connection.StartOk):
            self._method(
                spec.Connection.Tune(
                    channel_max=_MOST_CHANNELS, frame_max=FRAME_MAX, heartbeat=_BEAT_S
                )
            )
        elif isinstance(frame, spec.Connection.TuneOk):
            if frame.heartbeat:
                self._beat_later(frame.heartbeat / 2)
        elif isinstance(frame, spec.Connection.Open):
            self._open = True
            self._method(spec.Connection.OpenOk())
        elif isinstance(frame, spec.Connection.Close):
            self._method(spec.Connection.CloseOk())
            self._leave()
        elif isinstance(frame, spec.Connection.CloseOk):
            self._leave()

    def _of_channel(self, number: int, frame: Frame) -> None:
        channel = self._channels.get(number)
        if isinstance(frame, spec.Channel.Open):
            self._channels[number] = _Channel(self, number)
            self.send(of_method(spec.Channel.OpenOk(), number))
        elif channel is None:
            if isinstance(frame, spec.Channel.Close):
                self.send(of_method(spec.Channel.CloseOk(), number))
        elif channel.closing:
            if isinstance(frame, spec.Channel.Close):
                self.send(of_method(spec.Channel.CloseOk(), number))
            if isinstance(frame, spec.Channel.Close | spec.Channel.CloseOk):
                self.forget(channel)
        else:
            try:
                answer = channel.called(frame)
            except Refused as error:
                self.refuse(channel, error, frame)
            except NotImplementedError as error:
                self._close(540, f"NOT_IMPLEMENTED - {error}")
            else:
                if answer is not None:
                    self.send(of_method(answer, number))

    def _beat(self, every_s: float) -> None:
        self.send(BEAT)
        self._beat_later(every_s)

    def _beat_later(self, every_s: float) -> None:
        self._beating = asyncio.get_running_loop().call_later(every_s, self._beat, every_s)

    def _leave(self) -> None:
        if self._transport is not None:
            self._transport.close()
