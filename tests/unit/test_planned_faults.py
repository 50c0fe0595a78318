"""What struck a participant is on disk before it can die of it."""

from contextlib import closing

from scenarios.faults.plan import FaultPlan
from scenarios.faults.planned import PlannedFaults
from scenarios.faults.record import FaultRecord, RecordedFaults, read_record
from shared_domain.order.messages import ChargePayment
from shared_domain.order.saga import SAGA
from tests.samples import FAST, FixedClock, command

PLAN = FaultPlan.from_json(
    {
        "schema": 1,
        "faults": [
            {
                "orders": "all",
                "operation": "ChargePayment",
                "moment": "participant.crash_before_commit",
            }
        ],
    }
)


class _Gone(BaseException):
    pass


def _kill(reason):
    raise _Gone(reason)


async def _live(path):
    """One life of a participant's process, as far as its faults go."""
    with closing(RecordedFaults(path)) as record:
        faults = PlannedFaults(
            PLAN,
            ["o1"],
            saga=SAGA,
            seed=1,
            policy=FAST,
            clock=FixedClock(),
            record=record,
            crash=_kill,
        )
        charge = command(ChargePayment)
        with faults.holding():
            attempt = faults.arrive(charge)
            try:
                await faults.reach("before_commit", charge)
            except _Gone:
                return attempt, "died"
            return attempt, "went on"


async def test_an_attempt_counts_on_after_the_death_that_it_ended_in(tmp_path):
    assert await _live(tmp_path / "f") == (1, "died")
    assert await _live(tmp_path / "f") == (2, "went on")
    (injection,) = read_record(tmp_path / "f").injections.values()
    assert (injection.reached, injection.struck, injection.attempt) == (True, True, 1)


def test_what_a_dead_life_had_in_hand_is_in_flight_no_more(tmp_path):
    with closing(RecordedFaults(tmp_path / "f")) as first:
        first.note("held", 1)
    assert read_record(tmp_path / "f").in_flight == 1
    RecordedFaults(tmp_path / "f").close()
    assert read_record(tmp_path / "f").in_flight == 0


def test_a_line_that_a_kill_cut_off_is_left_out(tmp_path):
    with closing(RecordedFaults(tmp_path / "f")) as record:
        record.note("answered", "o1", "ChargePayment")
    with (tmp_path / "f").open("ab") as file:
        file.write(b'["answered", "o1", "Char')
    assert read_record(tmp_path / "f").answers == {("o1", "ChargePayment"): 1}


def test_records_of_several_processes_add_up():
    one, two = FaultRecord(), FaultRecord()
    one.note("arrived", "o1", "ChargePayment", 2.0)
    two.note("arrived", "o1", "ReserveStock", 1.0)
    two.note("struck", 0, "o1", "ReserveStock", 1, "request.lost", 7.0)
    one.add(two)
    assert one.attempts == {("o1", "ChargePayment"): 1, ("o1", "ReserveStock"): 1}
    assert one.times_mono_s == {("o1", "ChargePayment"): [2.0], ("o1", "ReserveStock"): [1.0]}
    assert [i.struck for i in one.injections.values()] == [True]


def test_a_line_that_was_cut_off_takes_no_other_with_it(tmp_path):
    with closing(RecordedFaults(tmp_path / "f")) as first:
        first.note("held", 1)
    with (tmp_path / "f").open("ab") as file:
        file.write(b'["arrived", "o')
    RecordedFaults(tmp_path / "f").close()
    assert read_record(tmp_path / "f").in_flight == 0
