"""Any command at any time, in any order, any number of times: a participant acts once and never contradicts itself."""

import asyncio
import tempfile
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from kernel.participants import open_participants
from shared_domain.order.saga import SAGA
from tests.samples import command, environment, order

COMMANDS = {name: SAGA.codec.kinds[name] for name in SAGA.operations}

OWNER = {
    "PlaceOrder": "order", "ConfirmOrder": "order", "CancelOrder": "order",
    "ReserveStock": "inventory", "ReleaseStock": "inventory",
    "ChargePayment": "payment", "RefundPayment": "payment",
    "BookShipment": "shipping", "CancelShipment": "shipping",
}  # fmt: skip
UNDOES = {
    "ReleaseStock": "ReserveStock",
    "RefundPayment": "ChargePayment",
    "CancelOrder": "PlaceOrder",
}
STOCK = 3
ORDERS = {
    f"o{n}": order(f"o{n}", quantity=n, amount_cents=amount, destination=city)
    for n, amount, city in (
        (0, 500, "Oslo"),
        (1, 500, "Oslo"),
        (2, 500, "Atlantis"),
        (2, 999_999, "Lima"),
    )
}


class AnyCommandAnyTime(RuleBasedStateMachine):
    """Drives the four participants directly; a restart reopens their databases from disk."""

    @initialize()
    def start(self):
        self.loop = asyncio.new_event_loop()
        self.folder = tempfile.TemporaryDirectory()
        self.answers = {}
        self._open()
        self.loop.run_until_complete(self.participants.stock_up({"book": STOCK}))

    def _open(self):
        self.opening = open_participants(Path(self.folder.name), environment())
        self.participants = self.loop.run_until_complete(self.opening.__aenter__())

    def _close(self):
        self.loop.run_until_complete(self.opening.__aexit__(None, None, None))

    @rule(operation=st.sampled_from(sorted(COMMANDS)), order_id=st.sampled_from(sorted(ORDERS)))
    def send(self, operation, order_id):
        message = command(COMMANDS[operation], ORDERS[order_id])
        participant = self.participants.by_name[OWNER[operation]]
        answer = self.loop.run_until_complete(participant.call(message))
        assert self.answers.setdefault(message.message_id, answer) == answer

    @rule(
        operations=st.lists(st.sampled_from(sorted(COMMANDS)), min_size=2, max_size=6),
        order_id=st.sampled_from(sorted(ORDERS)),
    )
    def send_at_once(self, operations, order_id):
        async def together():
            messages = [command(COMMANDS[o], ORDERS[order_id]) for o in operations]
            return messages, await asyncio.gather(
                *(self.participants.by_name[OWNER[m.name]].call(m) for m in messages)
            )

        for message, answer in zip(*self.loop.run_until_complete(together()), strict=True):
            assert self.answers.setdefault(message.message_id, answer) == answer

    @rule()
    def restart(self):
        self._close()
        self._open()

    @invariant()
    def ledgers_are_lawful(self):
        if not hasattr(self, "participants"):
            return
        ledgers = self.loop.run_until_complete(self.participants.ledgers())
        outbox = self.loop.run_until_complete(self._outbox())
        for name, tables in ledgers.items():
            rows = tables["ledger"]
            ids = [row["message_id"] for row in rows]
            assert len(ids) == len(set(ids)), "a message acted twice"
            assert sorted(ids) == sorted(i for i in self.answers if OWNER[i.split(":")[1]] == name)
            assert outbox[name] == len(rows), "a recalled answer was published"
            for row in rows:
                if row["effect"] == "undone":
                    step = f"{row['order_id']}:{UNDOES[row['operation']]}"
                    done = [r for r in rows if r["message_id"] == step]
                    assert done
                    assert (done[0]["effect"], done[0]["seq"] < row["seq"]) == ("done", True)
                    assert done[0]["delta"] == -row["delta"]
                if row["effect"] == "tombstone":
                    late = [
                        r
                        for r in rows
                        if r["seq"] > row["seq"] and r["order_id"] == row["order_id"]
                    ]
                    assert not [r for r in late if r["effect"] == "done"], (
                        "a step came after its tombstone"
                    )
        (stock,) = ledgers["inventory"]["stock"]
        held = sum(r["reserved"] - r["released"] for r in ledgers["inventory"]["reservations"])
        assert stock["initial"] == stock["free"] + held
        assert stock["free"] >= 0
        taken = sum(
            p["charged_cents"] - p["refunded_cents"] for p in ledgers["payment"]["payments"]
        )
        assert taken == sum(row["delta"] for row in ledgers["payment"]["ledger"])

    async def _outbox(self):
        return {
            name: (
                await participant.database.read(
                    lambda tx: tx.one("SELECT count(*) AS n FROM outbox")
                )
            )["n"]
            for name, participant in self.participants.by_name.items()
        }

    def teardown(self):
        if hasattr(self, "participants"):
            self._close()
            self.folder.cleanup()
            self.loop.close()


TestAnyCommandAnyTime = AnyCommandAnyTime.TestCase
TestAnyCommandAnyTime.settings = settings(
    max_examples=40,
    stateful_step_count=25,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
)
