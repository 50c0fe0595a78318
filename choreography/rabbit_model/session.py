"""One client's connection to a modelled node: the server's side of AMQP 0-9-1, as far as a broker of sagas needs it."""

import asyncio
import random
from collections.abc import Callable
from typing import Any, cast

from pamqp import commands as spec
from pamqp.base import Frame

from choreography.rabbit_model.channel import Channel
from choreography.rabbit_model.frames import (
    BEAT,
    BODY,
    FRAME_MAX,
    HEADER,
    METHOD,
    Frames,
    method,
    of_method,
)
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


class Session(asyncio.Protocol):
    """One connection, from the protocol's header to its end. `ended` is called when it is over."""

    def __init__(
        self, vhost: Vhost, chance: random.Random | None, ended: Callable[["Session"], None]
    ) -> None:
        self.vhost, self._chance, self._ended = vhost, chance, ended
        self._frames = Frames()
        self._channels: dict[int, Channel] = {}
        self._owing: dict[Channel, None] = {}
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

    def owes(self, channel: Channel) -> None:
        """A channel has a confirm to send."""
        self._owing[channel] = None

    def forget(self, channel: Channel) -> None:
        """A channel is closed."""
        self._channels.pop(channel.number, None)

    def refuse(self, channel: Channel, error: Refused, frame: Frame | None) -> None:
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
            self._channels[number] = Channel(self, number)
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
