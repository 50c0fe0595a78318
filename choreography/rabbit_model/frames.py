"""AMQP 0-9-1 frames as the modelled node reads and writes them: methods are decoded, contents pass through."""

import struct
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import pamqp.frame
from pamqp import commands
from pamqp.base import Frame
from pamqp.header import ContentHeader

METHOD, HEADER, BODY, HEARTBEAT = 1, 2, 3, 8
PROTOCOL = b"AMQP\x00\x00\x09\x01"
FRAME_MAX = 131_072
_OVERHEAD = 8
_END = b"\xce"
_HEAD = struct.Struct(">BHI")
_SIZE = struct.Struct(">Q")
BEAT = _HEAD.pack(HEARTBEAT, 0, 0) + _END


class Frames:
    """Cuts a stream of bytes into frames."""

    def __init__(self) -> None:
        self._left = bytearray()
        self.greeted = False
        """Whether the protocol's header has come."""

    def feed(self, data: bytes) -> Iterator[tuple[int, int, bytes]]:
        """(type, channel, payload) of every frame that is complete now. Raise ValueError if it is not AMQP 0-9-1."""
        left = self._left
        left += data
        if not self.greeted:
            if len(left) < len(PROTOCOL):
                return
            if not left.startswith(PROTOCOL):
                raise ValueError("not AMQP 0-9-1")
            del left[: len(PROTOCOL)]
            self.greeted = True
        while len(left) >= _HEAD.size:
            kind, channel, size = _HEAD.unpack_from(left)
            if len(left) < size + _OVERHEAD:
                return
            payload = bytes(left[_HEAD.size : _HEAD.size + size])
            del left[: size + _OVERHEAD]
            yield kind, channel, payload


@lru_cache(maxsize=4096)
def method(payload: bytes) -> Frame:
    """The method in a frame. Nobody may change it: equal frames are read once."""
    (number,) = struct.unpack_from(">I", payload)
    found: Frame = commands.INDEX_MAPPING[number]()
    found.unmarshal(payload[4:])
    return found


def of_method(frame: Frame, channel: int) -> bytes:
    """A method as a frame."""
    return pamqp.frame.marshal(frame, channel)


def body_size(header: bytes) -> int:
    """How many bytes of body a content header announces."""
    (size,) = _SIZE.unpack_from(header, 4)
    return int(size)


def of_content(header: bytes, body: bytes, channel: int) -> bytes:
    """A content as frames."""
    parts = [_HEAD.pack(HEADER, channel, len(header)), header, _END]
    room = FRAME_MAX - _OVERHEAD
    for start in range(0, len(body), room):
        piece = body[start : start + room]
        parts += [_HEAD.pack(BODY, channel, len(piece)), piece, _END]
    return b"".join(parts)


def is_persistent(header: bytes) -> bool:
    """Whether a content is to survive a restart of the node."""
    return _read(header).properties.delivery_mode == 2


def with_death(header: bytes, *, queue: str, reason: str, exchange: str, routing_key: str) -> bytes:
    """A content header that says once more where its message died, and why: x-death."""
    content = _read(header)
    headers: dict[str, Any] = dict(content.properties.headers or {})
    deaths = [dict(death) for death in headers.get("x-death") or ()]
    known = next((d for d in deaths if (d["queue"], d["reason"]) == (queue, reason)), None)
    if known is not None:
        deaths.remove(known)
        known["count"] += 1
    else:
        known = {
            "count": 1,
            "queue": queue,
            "reason": reason,
            "exchange": exchange,
            "routing-keys": [routing_key],
        }
    headers["x-death"] = [known, *deaths]
    for name, value in (("queue", queue), ("reason", reason), ("exchange", exchange)):
        headers.setdefault(f"x-first-death-{name}", value)
    content.properties.headers = headers
    return content.marshal()


def _read(header: bytes) -> ContentHeader:
    content = ContentHeader()
    content.unmarshal(header)
    return content
