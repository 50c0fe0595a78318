"""What is said between desk and hall, and what a guest asks for."""

from dataclasses import dataclass

from kernel.messages import Command, Event


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One guest, one seat, or none that suits."""

    order_id: str
    guest: str
    balcony: bool = False


class Ask(Command):
    """Open the request."""


class Withdraw(Command):
    """Undo Ask."""


class Seat(Command):
    """Give the guest a seat: the pivot."""


class Asked(Event):
    """The request is open."""


class Withdrawn(Event):
    """The request is closed."""


class Seated(Event):
    """The guest has a seat."""


class Close(Command):
    """The guest is seated: close the request."""


class Closed(Event):
    """The request ended well."""


class Full(Event):
    """Refused: there is no seat on the balcony."""


class AskedTooLong(Event):
    """The saga deadline passed."""
