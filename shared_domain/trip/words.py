"""Units and sentences of the trip saga, for replays and reports."""

from kernel.customers import Words
from shared_domain.trip.messages import Trip


def wanted(trip: Trip) -> str:
    """What the traveller asks for, in a few words."""
    seats = f"{trip.travellers} seat{'s' if trip.travellers > 1 else ''}"
    return f"{trip.hotel}, {seats}, a car, for {trip.price_cents / 100:,.2f}"


WORDS = Words(
    wanted=wanted,
    effects={
        ("OpenTrip", "done"): "The trip is opened, and not yet confirmed.",
        ("OpenTrip", "refused"): "The trip is refused: nothing is opened.",
        ("ReserveHotel", "done"): "{units} held, not yet confirmed.",
        ("ReserveHotel", "refused"): "The hotel is full: no room is held.",
        ("ReserveFlight", "done"): "{units} held, not yet confirmed.",
        ("ReserveFlight", "refused"): "The flight is full: no seat is held.",
        ("ReserveCar", "done"): "{units} held.",
        ("ReserveCar", "refused"): "No car is left: none is held.",
        ("TakePayment", "done"): "{money} taken from the traveller.",
        ("TakePayment", "refused"): "The card is over its limit: no money is taken.",
        ("ConfirmHotel", "done"): "The room is a firm booking.",
        ("ConfirmHotel", "refused"): "Nobody is at the desk so late: the room is not confirmed.",
        ("ConfirmFlight", "done"): "The tickets are issued: from here the saga only goes forward.",
        ("ConfirmFlight", "refused"): "The passport has expired: no ticket is issued.",
        ("ConfirmTrip", "done"): "The trip is confirmed.",
        (
            "WithdrawFlight",
            "kept",
        ): "Too late: the tickets are issued already, so the saga goes forward.",
        ("WithdrawHotel", "undone"): "The room is no firm booking any more, only held.",
        ("ReturnPayment", "undone"): "{money} given back to the traveller.",
        ("CancelCar", "undone"): "{units} free again.",
        ("CancelFlight", "undone"): "{units} free again.",
        ("CancelHotel", "undone"): "{units} free again.",
        ("CancelTrip", "undone"): "The trip is cancelled.",
    },
)
