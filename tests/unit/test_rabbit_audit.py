"""The audit keeps whatever was said, also what nobody can read."""

from dataclasses import replace

from choreography.cloud_events import envelope
from choreography.rabbit_audit import Audit
from shared_domain.order.messages import ChargePayment
from tests.samples import command

SAID = envelope(command(ChargePayment), source="customer", wall_s=1.0)


async def test_what_was_said_is_read_back_and_garbage_spoils_nothing_beside_it():
    batches = []

    async def write(batch):
        batches.append(batch)

    audit = Audit(write)
    for message in (SAID, replace(SAID, body=SAID.body[:40]), replace(SAID, body=b"\xff{")):
        audit.tell(message)
    await audit.written()
    await audit.close()
    whole, cut, garbage = (message for batch in batches for message in Audit.read(batch))
    assert (whole, cut.body) == (SAID, SAID.body[:40])
    assert garbage.message_id == SAID.message_id
    assert b"{" in garbage.body
