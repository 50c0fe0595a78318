"""The trip saga: one row per step. Read it beside reactions.py and trip_saga.asl.json."""

from pathlib import Path

from kernel.saga import Saga
from kernel.steps import Step
from shared_domain.trip.laws import ACCEPTS, RESOURCES
from shared_domain.trip.messages import (
    CancelCar,
    CancelFlight,
    CancelHotel,
    CancelTrip,
    CarCancelled,
    CardRejected,
    CarReservationFailed,
    CarReserved,
    ConfirmFlight,
    ConfirmHotel,
    ConfirmTrip,
    FlightAlreadyConfirmed,
    FlightCancelled,
    FlightConfirmationFailed,
    FlightConfirmed,
    FlightFull,
    FlightRefused,
    FlightReservationFailed,
    FlightReserved,
    FlightWithdrawn,
    HotelCancelled,
    HotelConfirmationFailed,
    HotelConfirmed,
    HotelFull,
    HotelRefused,
    HotelReservationFailed,
    HotelReserved,
    HotelWithdrawn,
    NoCarLeft,
    OpenTrip,
    PaymentNotTaken,
    PaymentReturned,
    PaymentTaken,
    ReserveCar,
    ReserveFlight,
    ReserveHotel,
    ReturnPayment,
    TakePayment,
    Trip,
    TripCancelled,
    TripConfirmed,
    TripExpired,
    TripOpened,
    TripRejected,
    WithdrawFlight,
    WithdrawHotel,
)
from shared_domain.trip.participants import agency, car, flight, hotel, payment
from shared_domain.trip.reactions import REACTIONS
from shared_domain.trip.words import WORDS
from shared_domain.trip.workload import WORKLOAD

ROWS = (
    Step(
        command=OpenTrip, service="agency", done=TripOpened, refused=TripRejected,
        undo=CancelTrip, undone=TripCancelled,
    ),
    Step(
        command=ReserveHotel, service="hotel", done=HotelReserved, refused=HotelFull, gave_up=HotelReservationFailed,
        undo=CancelHotel, undone=HotelCancelled,
    ),
    Step(
        command=ReserveFlight, service="flight", done=FlightReserved, refused=FlightFull, gave_up=FlightReservationFailed,
        undo=CancelFlight, undone=FlightCancelled,
    ),
    Step(
        command=ReserveCar, service="car", done=CarReserved, refused=NoCarLeft, gave_up=CarReservationFailed,
        undo=CancelCar, undone=CarCancelled,
    ),
    Step(
        command=TakePayment, service="payment", done=PaymentTaken, refused=CardRejected, gave_up=PaymentNotTaken,
        undo=ReturnPayment, undone=PaymentReturned,
    ),
    Step(
        command=ConfirmHotel, service="hotel", done=HotelConfirmed, refused=HotelRefused, gave_up=HotelConfirmationFailed,
        undo=WithdrawHotel, undone=HotelWithdrawn,
    ),
    Step(
        command=ConfirmFlight, service="flight", done=FlightConfirmed, refused=FlightRefused, gave_up=FlightConfirmationFailed,
        undo=WithdrawFlight, undone=FlightWithdrawn, kept=FlightAlreadyConfirmed, pivot=True,
    ),
    Step(command=ConfirmTrip, service="agency", done=TripConfirmed),
)  # fmt: skip

SAGA = Saga(
    name="trip",
    order=Trip,
    variants={"hotel-first": ROWS},
    expired=TripExpired,
    participants={
        "agency": agency,
        "hotel": hotel,
        "flight": flight,
        "car": car,
        "payment": payment,
    },
    reactions={"hotel-first": REACTIONS},
    state_machines={"hotel-first": Path(__file__).with_name("trip_saga.asl.json")},
    resources=RESOURCES,
    accepts=ACCEPTS,
    workload=WORKLOAD,
    words=WORDS,
)
