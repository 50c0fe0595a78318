"""The envelope of the choreography: CloudEvents attributes, versioned, and what cannot be read is refused as such."""

import json
from dataclasses import replace

import pytest

from choreography.cloud_events import envelope, read
from kernel.errors import UnreadableMessage
from kernel.messages import MAX_BYTES
from shared_domain.order.messages import ChargePayment, PaymentDeclined
from shared_domain.order.saga import SAGA
from tests.samples import ORDER, command

REQUIRED = {"id", "source", "specversion", "type"}
"""CloudEvents 1.0, section "Required attributes"."""


def _sealed(message):
    return envelope(message, source="payment", wall_s=0.25)


@pytest.mark.parametrize("kind", SAGA.codec.kinds.values())
def test_every_message_survives_the_wire(kind):
    sent = kind(order=ORDER, caused_by="o1:x", traceparent="00-aa-bb-01")
    assert read(_sealed(sent).body, SAGA.codec) == sent


def test_an_event_carries_the_attributes_that_anybody_can_read():
    declined = PaymentDeclined(
        order=ORDER, caused_by="o1:ChargePayment", traceparent="00-aa-bb-01", reason="no money"
    )
    document = json.loads(_sealed(declined).body)
    assert set(document) >= REQUIRED
    assert document["id"] == "o1:PaymentDeclined"
    assert document["source"] == "/saga/payment"
    assert document["type"] == "saga.PaymentDeclined.v1"
    assert document["subject"] == "o1"
    assert document["time"] == "1970-01-01T00:00:00.250000+00:00"
    assert document["causedby"] == "o1:ChargePayment"
    assert document["traceparent"] == "00-aa-bb-01"
    assert document["data"]["reason"] == "no money"


def test_attribute_names_are_such_as_cloudevents_allows():
    for name in json.loads(_sealed(command(ChargePayment)).body):
        assert name.isalnum()
        assert name == name.lower()


def _broken(**changes):
    document = json.loads(_sealed(command(ChargePayment)).body)
    return json.dumps({k: v for k, v in (document | changes).items() if v != "absent"}).encode()


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"\xff\xfe", "not JSON"),
        (b"not json", "not JSON"),
        (b"[]", "not a CloudEvent"),
        (b"{}", "not a CloudEvent"),
        (b"null", "not a CloudEvent"),
        (_broken(type="saga.ChargePayment.v2"), "unknown type or version"),
        (_broken(type="saga.StealMoney.v1"), "unknown type or version"),
        (_broken(type=["x"]), "not a CloudEvent"),
        (_broken(specversion="0.3"), "CloudEvents '0.3'"),
        (_broken(specversion="absent"), "specversion"),
        (_broken(data="absent"), "data"),
        (_broken(data={}), "order"),
        (_broken(data={"order": {"order_id": "o1"}}), "not an order"),
        (_broken(causedby=None), "texts"),
        (_broken(traceparent=7), "texts"),
        (_broken(id="o2:ChargePayment"), "do not fit"),
        (_broken(subject="o2"), "do not fit"),
        (b'"' + b"x" * MAX_BYTES + b'"', "the limit is"),
    ],
)
def test_what_cannot_be_read_is_refused_with_the_reason(body, why):
    with pytest.raises(UnreadableMessage, match=why):
        read(body, SAGA.codec)


def test_attributes_that_somebody_added_do_no_harm():
    assert read(_broken(partitionkey="7"), SAGA.codec) == command(ChargePayment)


@pytest.mark.parametrize("changes", [{"traceparent": "0" * 140_000}, {"causedby": "x" * 300}])
def test_what_would_not_fit_into_a_header_is_refused_before_anything_happens(changes):
    with pytest.raises(UnreadableMessage, match="at most"):
        read(_broken(**changes), SAGA.codec)


@pytest.mark.parametrize("changes", [{"order_id": "x" * 81}, {"customer": "y" * 256}])
def test_an_order_whose_texts_are_too_long_is_not_read(changes):
    sent = ChargePayment(order=replace(ORDER, **changes), caused_by="x")
    with pytest.raises(UnreadableMessage, match="wrong type or size"):
        read(_sealed(sent).body, SAGA.codec)
