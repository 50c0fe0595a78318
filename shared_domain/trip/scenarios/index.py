"""The scenarios of the trip saga, by name."""

from scenarios.catalog.index import by_name
from shared_domain.trip.scenarios import (
    airline_flaky,
    cancellation_fails_twice,
    card_rejected,
    confirmation_lost,
    coordinator_killed,
    desk_closed,
    flaky_cancellations,
    flight_full,
    hotel_full,
    last_seat,
    no_car_left,
    passport_expired,
    payment_answer_lost,
    rental_silent,
    return_fails_for_ever,
    tickets_overtaken,
    withdrawal_crashes,
)

SCENARIOS = by_name(
    (
        hotel_full,
        flight_full,
        no_car_left,
        card_rejected,
        desk_closed,
        passport_expired,
        payment_answer_lost,
        confirmation_lost,
        last_seat,
        airline_flaky,
        rental_silent,
        cancellation_fails_twice,
        flaky_cancellations,
        return_fails_for_ever,
        tickets_overtaken,
        withdrawal_crashes,
        coordinator_killed,
    )
)

HEADLINE = {
    "payment_answer_lost": ("none", "-inbox", "all"),
    "flaky_cancellations": ("none", "-compensation_retries", "all"),
    "return_fails_for_ever": ("-dead_letters", "all"),
}
"""What `saga demo --saga trip` shows: scenario -> the safeguards of its arms."""
