"""Every planted bug of the trip saga, by name."""

from dataclasses import replace

from kernel.ledger import Decision, Effect
from kernel.messages import Command
from kernel.orders import OrderRecord
from scenarios.catalog.bug import Bug, both, choreographed, entry, every, orchestrated
from scenarios.catalog.planting import (
    forgetting,
    leads,
    machine,
    reacting,
    route,
    routes,
    together,
    without_catch,
    without_reaction,
)
from scenarios.faults.plan import Moment
from scenarios.judge.rules import Rule
from shared_domain.trip.messages import (
    CancelCar,
    CancelFlight,
    CancelHotel,
    CancelTrip,
    CarCancelled,
    CarReserved,
    ConfirmHotel,
    ConfirmTrip,
    FlightCancelled,
    FlightReserved,
    FlightWithdrawn,
    HotelCancelled,
    HotelConfirmationFailed,
    HotelConfirmed,
    HotelRefused,
    HotelWithdrawn,
    PaymentReturned,
    PaymentTaken,
    ReserveFlight,
    ReturnPayment,
    TakePayment,
    TripConfirmed,
    WithdrawFlight,
    WithdrawHotel,
)
from shared_domain.trip.participants import agency, flight, hotel, payment
from shared_domain.trip.participants.holding import Booking
from shared_domain.trip.participants.payment import Fare
from shared_domain.trip.reactions import REACTIONS


def _one_seat_for_all(seats: Booking, command: Command) -> tuple[Booking, Decision]:
    held = seats.hold(1)
    return held, Decision(answer=FlightReserved, effect=Effect.DONE, delta=-1)


def _overbooks(seats: Booking, command: Command) -> tuple[Booking, Decision]:
    wanted = command.order.travellers
    return seats.hold(wanted), Decision(answer=FlightReserved, effect=Effect.DONE, delta=-wanted)


def _frees_what_was_wanted(seats: Booking, command: Command) -> tuple[Booking, Decision]:
    """Cancelling gives back what was asked for, whether it was ever held or not."""
    wanted = command.order.travellers
    freed = replace(seats, free=seats.free + wanted, cancelled=seats.cancelled + wanted)
    return freed, Decision(answer=FlightCancelled, effect=Effect.UNDONE, delta=wanted)


def _cancels_by_output(room: Booking, command: Command) -> tuple[Booking, Decision]:
    """Finds the booking by the answer that the caller passes on: if that was lost, there is nothing to find."""
    if command.caused_by.rpartition(":")[2] == FlightCancelled.__name__:
        return hotel.cancel(room, command)
    return room, Decision(answer=HotelCancelled, effect=Effect.TOMBSTONE)


def _stays_confirmed(room: Booking, command: Command) -> tuple[Booking, Decision]:
    """Says that the confirmation is withdrawn, and leaves the room a firm booking."""
    return room, Decision(answer=HotelWithdrawn, effect=Effect.TOMBSTONE)


def _withdraws_without_looking(seats: Booking, command: Command) -> tuple[Booking, Decision]:
    return seats, Decision(answer=FlightWithdrawn, effect=Effect.TOMBSTONE)


def _keeps_a_fee(fare: Fare, command: Command) -> tuple[Fare, Decision]:
    returned, decision = payment.give_back(fare, command)
    short = -decision.delta * 9 // 10
    kept = replace(returned, returned_cents=fare.returned_cents + short)
    return kept, replace(decision, delta=-short)


def _confirms_without_saving(record: OrderRecord, command: Command) -> tuple[OrderRecord, Decision]:
    return record, Decision(answer=TripConfirmed, effect=Effect.DONE)


_BUGS = [
    Bug(
        name="one_seat_for_all",
        words="one seat is held, however many travel",
        plant=entry(flight.RULES, ReserveFlight, _one_seat_for_all),
        scenario="happy_path",
        found_by=both(Rule.CONFIRMED_IS_WHOLE),
    ),
    Bug(
        name="overbooked",
        words="seats are held whether there are any or not",
        plant=entry(flight.RULES, ReserveFlight, _overbooks),
        scenario="last_seat",
        found_by=both(Rule.NOT_OVERSOLD),
    ),
    Bug(
        name="frees_what_was_wanted",
        words="cancelling a flight frees what was asked for, whether it was held or not",
        plant=entry(flight.RULES, CancelFlight, _frees_what_was_wanted),
        scenario="any_ending",
        faults=(every(2, "ReserveFlight", Moment.HANG, always=True),),
        found_by=both(Rule.CAUSE),
    ),
    Bug(
        name="cancel_by_output",
        words="a room is looked up by the answer to its reservation; if that was lost, nothing is cancelled",
        plant=entry(hotel.RULES, CancelHotel, _cancels_by_output),
        scenario="any_ending",
        faults=(every(2, "ReserveHotel", Moment.ANSWER_LOST, always=True),),
        found_by=orchestrated(Rule.ENDED_IS_CLEAN),
    ),
    Bug(
        name="stays_confirmed",
        words="a room of a cancelled trip stays a firm booking",
        plant=entry(hotel.RULES, WithdrawHotel, _stays_confirmed),
        scenario="passport_expired",
        found_by=both(Rule.ENDED_IS_CLEAN),
    ),
    Bug(
        name="withdrawn_past_the_pivot",
        words="tickets are called withdrawn without looking whether they are issued",
        plant=entry(flight.RULES, WithdrawFlight, _withdraws_without_looking),
        scenario="any_ending",
        faults=(
            every(2, "ConfirmFlight", Moment.ANSWER_LOST, always=True),
            every(2, "ConfirmTrip", Moment.REQUEST_REORDERED, always=True),
        ),
        found_by=both(Rule.ENDED_IS_CLEAN),
    ),
    Bug(
        name="fee_kept",
        words="a tenth of the price is kept when a trip is cancelled",
        plant=entry(payment.RULES, ReturnPayment, _keeps_a_fee),
        scenario="desk_closed",
        found_by=both(Rule.ENDED_IS_CLEAN),
    ),
    Bug(
        name="payment_not_idempotent",
        words="a payment whose answer was lost is taken again",
        plant=forgetting(TakePayment),
        scenario="payment_answer_lost",
        found_by=both(Rule.ONCE),
    ),
    Bug(
        name="never_confirmed",
        words="the agency answers that the trip is confirmed, and does not write it down",
        plant=entry(agency.RULES, ConfirmTrip, _confirms_without_saving),
        scenario="happy_path",
        found_by=both(Rule.ENDS_OR_SHOWS),
    ),
    Bug(
        name="confirmed_before_paid",
        words="the room is confirmed first, and paid for afterwards",
        plant=together(
            reacting(
                REACTIONS,
                {
                    CarReserved: ("hotel", ConfirmHotel),
                    HotelConfirmed: ("payment", TakePayment),
                    PaymentTaken: REACTIONS[HotelConfirmed],
                },
            ),
            machine(
                routes(
                    route("CarAnswer", "CarReserved", "ConfirmHotel"),
                    route("HotelAnswer", "HotelConfirmed", "TakePayment"),
                    route("PaymentAnswer", "PaymentTaken", "ConfirmFlight"),
                )
            ),
        ),
        scenario="happy_path",
        found_by=both(Rule.STEP_ORDER),
    ),
    Bug(
        name="refused_and_not_refunded",
        words="when the hotel refuses to confirm, car, seats and room are cancelled and the money is kept",
        plant=together(
            reacting(REACTIONS, {HotelRefused: ("car", CancelCar)}),
            machine(route("HotelAnswer", "HotelRefused", "CancelCar")),
        ),
        scenario="desk_closed",
        found_by=both(Rule.ENDED_IS_CLEAN),
    ),
    Bug(
        name="undone_in_forward_order",
        words="the room is cancelled before the seats and the car",
        plant=together(
            reacting(
                REACTIONS,
                {
                    PaymentReturned: ("hotel", CancelHotel),
                    HotelCancelled: ("flight", CancelFlight),
                    FlightCancelled: ("car", CancelCar),
                    CarCancelled: ("agency", CancelTrip),
                },
            ),
            machine(
                routes(
                    leads("ReturnPayment", "CancelHotel"),
                    leads("CancelHotel", "CancelFlight"),
                    leads("CancelFlight", "CancelCar"),
                    leads("CancelCar", "CancelTrip"),
                )
            ),
        ),
        scenario="desk_closed",
        found_by=both(Rule.REVERSE),
    ),
    Bug(
        name="confirmation_not_caught",
        words="a hotel that never answers fails the execution, with the money taken",
        plant=machine(without_catch("ConfirmHotel")),
        scenario="any_ending",
        faults=(every(2, "ConfirmHotel", Moment.ERROR, always=True),),
        found_by=orchestrated(Rule.PARKED_IN_PLACE),
    ),
    Bug(
        name="nobody_hears_that_the_hotel_failed",
        words="nobody reacts to HotelConfirmationFailed",
        plant=without_reaction(REACTIONS, HotelConfirmationFailed),
        scenario="any_ending",
        faults=(every(2, "ConfirmHotel", Moment.ERROR, always=True),),
        found_by=choreographed(Rule.NOT_DROPPED),
    ),
]

BUGS: dict[str, Bug] = {bug.name: bug for bug in _BUGS}
