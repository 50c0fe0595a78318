"""The mistakes that the teacher's notes name for labs 4 to 6 fail as the notes say."""

import pytest

from testbed.labs.folders import begin
from testbed.labs.lab import find_lab
from tests.labs.sheet import saga

RETRY = '"MaxDelaySeconds": 8, "MaxAttempts": 3}],\n      "Next": "ReleaseStock"'
CATCH = '"Catch": [{"ErrorEquals": ["States.ALL"], "ResultPath": null, "Next": "ReleaseStock"}], "Next": "ReleaseStock"'
HEARD = '{0}: ("{1}", {2})'
NO_CHARGE = "return account, Decision(answer=PaymentRefunded, effect=Effect.TOMBSTONE)"

MISTAKES = {
    "the step that refused is compensated": (
        4, "reactions.py", HEARD.format("PaymentDeclined", "inventory", "ReleaseStock"),
        HEARD.format("PaymentDeclined", "payment", "RefundPayment"), "an undo is asked for by an event that should not lead to it",
    ),
    "retries without end": (
        5, "order_saga.asl.json", RETRY, RETRY.replace(": 3", ": 99999"), "Neither style may try harder than the other",
    ),
    "a Catch that goes on": (
        5, "order_saga.asl.json", RETRY, RETRY.replace('"Next": "ReleaseStock"', CATCH), "half-done, expected parked",
    ),
    "the step does not look": (
        6, "participants/payment.py", "account.tombstoned or amount", "amount", "CANCELLED, but payment stands at",
    ),
    "an undo of nothing is an error": (
        6, "participants/payment.py", NO_CHARGE, 'raise ValueError("no charge")', "participants/payment.py:44: ValueError: no charge",
    ),
    "undone from the middle": (
        6, "reactions.py", HEARD.format("OrderExpired", "shipping", "CancelShipment"),
        HEARD.format("OrderExpired", "payment", "RefundPayment"), "Begin at the far end of the reverse chain",
    ),
    "already booked leads back": (
        6, "reactions.py", HEARD.format("ShipmentAlreadyBooked", "order", "ConfirmOrder"),
        HEARD.format("ShipmentAlreadyBooked", "payment", "RefundPayment"), "a parcel is on its way and its order was refunded",
    ),
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_usual_mistake_fails_as_the_notes_say(tmp_path, mistake):
    number, name, right, wrong, says = MISTAKES[mistake]
    begin(find_lab(str(number)), tmp_path / f"lab{number}", part="solution")
    path = tmp_path / f"lab{number}" / name
    text = path.read_text()
    assert right in text
    path.write_text(text.replace(right, wrong))
    done = saga(tmp_path, "lab", "check", str(number))
    assert done.returncode == 1
    assert says in done.stdout
