import json

import pytest

from kernel import messages
from kernel.errors import UnreadableMessage
from shared_domain.order.messages import ChargePayment, PaymentDeclined
from shared_domain.order.saga import SAGA
from tests.samples import ORDER, command


@pytest.mark.parametrize("kind", SAGA.codec.kinds.values())
def test_every_message_survives_the_wire(kind):
    sent = kind(order=ORDER, caused_by="o1:x", traceparent="00-aa-bb-01")
    assert SAGA.codec.from_bytes(messages.to_bytes(sent)) == sent


def test_a_message_id_is_the_order_and_the_operation_and_never_changes():
    assert command(ChargePayment).message_id == "o1:ChargePayment"
    answer = messages.reply(PaymentDeclined, command(ChargePayment), "card declined")
    assert (answer.message_id, answer.caused_by) == ("o1:PaymentDeclined", "o1:ChargePayment")


def _broken(**changes):
    document = messages.to_json(command(ChargePayment)) | changes
    return json.dumps(document).encode()


@pytest.mark.parametrize(
    "body",
    [
        b"\xff\xfe",
        b"not json",
        b"[]",
        b"{}",
        _broken(version=2),
        _broken(name="StealMoney"),
        _broken(order={"order_id": "o1"}),
        _broken(order=None),
        _broken(caused_by=None),
        _broken(traceparent=7),
        _broken(order=messages.to_json(command(ChargePayment))["order"] | {"amount_cents": 10**30}),
        b'"' + b"x" * messages.MAX_BYTES + b'"',
    ],
)
def test_a_message_that_cannot_be_read_is_refused_as_such(body):
    with pytest.raises(UnreadableMessage):
        SAGA.codec.from_bytes(body)


def test_a_price_that_is_no_whole_number_is_not_read():
    document = messages.to_json(command(ChargePayment))
    document["order"]["amount_cents"] = "1500"
    with pytest.raises(UnreadableMessage, match="amount_cents"):
        SAGA.codec.from_json(document)
