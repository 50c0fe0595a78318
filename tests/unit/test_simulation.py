"""Simulated runs: the same bytes everywhere, nothing of this machine in them, and bugs found, shrunk and told."""

import json
import subprocess
import sys
from dataclasses import replace

import pytest

from choreography.consumer import Consumer
from kernel.errors import NotDelivered, OutcomeUnknown, UsageError
from kernel.policy import Policy
from scenarios.campaigns.jobs import Job
from scenarios.campaigns.simulation.agreement import compare, variations
from scenarios.campaigns.simulation.explore import Explored, explore_part, smallest
from scenarios.campaigns.simulation.finding import FAILED, NEEDLESS, NEVER_SETTLED, finding, states
from scenarios.campaigns.simulation.outcomes import schedule_of
from scenarios.campaigns.simulation.schedule import TIME_SCALE, Schedule, Space
from scenarios.campaigns.simulation.shrink import look, shrink, size
from scenarios.campaigns.simulation.simulated import log_bytes, play
from scenarios.campaigns.simulation.story import story
from scenarios.faults.plan import Fault, FaultPlan, Moment
from scenarios.judge.verdict import Judgement
from scenarios.styles.index import STYLES
from tests.logs import assert_the_same_in_every_process

SPACE = Space(styles=list(STYLES), faults=(0, 3), seed=3)


def _plan(*faults):
    return FaultPlan(faults=tuple(Fault(orders=(0,), **fault) for fault in faults))


@pytest.mark.slow
def test_the_same_seed_gives_the_same_bytes_in_every_process():
    assert_the_same_in_every_process(40)


def test_another_order_of_turns_is_another_log_of_the_same_run():
    schedule = Schedule(style="choreography", orders=4, rate_per_s=10_000)
    logs = {log_bytes(play(replace(schedule, turns=turns))) for turns in range(5)}
    assert len(logs) == 5


NOTHING_ELSE = """
import datetime, os, random, secrets, sys, time, uuid
from scenarios.campaigns.simulation.schedule import Space
from scenarios.campaigns.simulation.simulated import play
space = Space(styles=["choreography", "orchestration"], faults=(0, 3), seed=3)
def go():
    for number in range(40):
        schedule = space.schedule(number)
        found = play(schedule)
        assert found.ended is not None and not found.failure, found.failure
go()  # what is imported late is imported now
def forbidden(name):
    def call(*arguments, **options):
        raise SystemExit(f"a simulated run called {name}")
    return call
class Seeded(random.Random):
    def __init__(self, seed=None):
        if seed is None:
            raise SystemExit("a simulated run drew a seed")
        super().__init__(seed)
class NoNow(datetime.datetime):
    now = utcnow = today = classmethod(forbidden("datetime.now"))
for module, names in {
    time: [n for n in dir(time) if n not in ("struct_time", "strftime") and callable(getattr(time, n))],
    random: [n for n in dir(random) if getattr(getattr(random, n), "__self__", None) is random._inst] + ["_urandom"],
    os: ("urandom", "getrandom", "getpid"),
    uuid: ("uuid1", "uuid4"),
    secrets: ("token_bytes", "token_hex", "token_urlsafe", "randbits", "choice", "randbelow"),
}.items():
    for name in names:
        setattr(module, name, forbidden(f"{module.__name__}.{name}"))
random.Random = Seeded
for name, module in list(sys.modules.items()):
    if name.split(".")[0] in ("kernel", "shared_domain", "choreography", "orchestration", "scenarios"):
        if getattr(module, "datetime", None) is datetime.datetime:
            module.datetime = NoNow
def audit(event, arguments):
    if event.split(".")[0] in ("socket", "_thread", "threading", "subprocess", "os", "open"):
        raise SystemExit(f"a simulated run caused {event} {arguments}")
    if event == "sqlite3.connect" and arguments[0] != ":memory:":
        raise SystemExit(f"a simulated run opened {arguments}")
sys.addaudithook(audit)
go()
if len(sys.argv) > 1:
    from scenarios.runs import spec
    {
        "time": time.time,
        "process time": time.process_time,
        "random": random.random,
        "uniform": lambda: random.uniform(0, 1),
        "seed": random.Random,
        "now": spec.now_utc,
        "file": lambda: open("x"),
    }[sys.argv[1]]()
os._exit(0)
"""


def _with_nothing_else(*arguments):
    return subprocess.run(
        [sys.executable, "-c", NOTHING_ELSE, *arguments],
        capture_output=True,
        text=True,
        check=False,
    )


def test_nothing_in_a_simulated_run_reads_a_clock_chance_a_thread_a_file_or_the_network():
    done = _with_nothing_else()
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.slow
@pytest.mark.parametrize(
    "what", ["time", "process time", "random", "uniform", "seed", "now", "file"]
)
def test_and_the_watchman_of_that_is_awake(what):
    assert "a simulated run" in _with_nothing_else(what).stderr


@pytest.mark.parametrize("style", STYLES)
def test_with_every_guard_nothing_is_wrong_and_every_saga_ends(style):
    space = Space(styles=[style], faults=(0, 3), seed=17)
    for number in range(60):
        schedule = space.schedule(number)
        simulated = play(schedule)
        assert finding(schedule, simulated) is None
        patience_s = (2 * 60 + sum(f.lasts_s() for f in schedule.plan.faults)) * TIME_SCALE
        assert simulated.virtual_s < 21 * (patience_s + 3)


@pytest.mark.slow
def test_a_run_of_the_same_schedule_on_real_time_ends_alike(tmp_path):
    schedules = [(number, SPACE.schedule(number)) for number in (0, 1, 2, 3)]
    agreed = compare(schedules, broker="memory", engine="inprocess", time_scale=0.1, runs=tmp_path)
    assert [one.real for one in agreed] == [one.simulated for one in agreed]
    assert not list(tmp_path.iterdir())  # only folders of those that end otherwise are kept


BUGS = {
    # bug -> most faults that are left of it
    "booking_not_idempotent": 1,
    "no_tombstones": 1,
    "stale_stock": 0,
    "refund_not_idempotent": 2,
    "compensations_in_the_wrong_order": 1,
}


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize(
    "bug",
    [pytest.param(bug, marks=pytest.mark.slow if most > 1 else ()) for bug, most in BUGS.items()],
)
def test_a_planted_bug_is_found_and_shrunk(bug, style):
    space = Space(styles=[style], faults=(0, 3), seed=1, variants=["inventory-first"], bug=bug)
    found = next(filter(None, (look(space.schedule(number)) for number in range(300))))
    small = shrink(found)
    assert set(small.rules) & set(found.rules)
    orders, faults, delays = size(small.schedule)
    assert (orders <= 2, faults <= BUGS[bug], delays) == (True, True, 0)
    assert look(replace(small.schedule, bug="")) is None


def test_shrinking_does_not_slip_to_another_thing_that_is_wrong():
    """Without the refusal the order would be confirmed, and the confirmation would act twice."""
    plan = _plan(
        {"operation": "BookShipment", "moment": Moment.REFUSED},
        {"operation": "RefundPayment", "moment": Moment.REQUEST_DUPLICATED},
        {"operation": "ConfirmOrder", "moment": Moment.REQUEST_DUPLICATED},
    )
    found = look(Schedule(style="orchestration", faults=plan, guards="-inbox"))
    small = shrink(found)
    assert small.schedule.faults.faults == plan.faults[:2]
    assert "every undo is applied once" in small.rules


def test_a_saga_that_never_ends_is_found_out():
    found = look(Schedule(style="choreography", bug="order_stays_pending"))
    assert NEVER_SETTLED in found.rules


def test_what_fails_unseen_is_a_finding(monkeypatch):
    def break_down(*_):
        raise ZeroDivisionError

    monkeypatch.setattr("scenarios.runs.driver.judge", break_down)
    assert look(Schedule(style="choreography")).rules == (FAILED,)


async def _does_not_answer(self, command):
    raise OutcomeUnknown("out of order")


async def _takes_no_orders(self, order):
    raise NotDelivered("closed")


@pytest.mark.parametrize(
    ("target", "broken"),
    [
        ("kernel.participant.Participant._once", _does_not_answer),
        ("choreography.system.ChoreographedSystem.start", _takes_no_orders),
    ],
)
def test_a_system_that_does_nothing_is_not_a_right_one(monkeypatch, target, broken):
    monkeypatch.setattr(target, broken)
    assert NEEDLESS in look(Schedule(style="choreography")).rules


def test_an_order_that_is_refused_for_want_of_units_is_not_harmed():
    assert look(Schedule(style="choreography", scenario="scarce", orders=3)) is None


def test_a_fault_that_cannot_be_brought_about_is_a_finding(monkeypatch):
    async def fails(*_):
        raise OSError("no way to kill it")

    monkeypatch.setattr("scenarios.faults.injector.FaultInjector._start", fails)
    plan = _plan({"operation": "ChargePayment", "moment": Moment.COORDINATOR_KILLED})
    found = look(Schedule(style="orchestration", faults=plan))
    assert (found.rules, "no way to kill it" in found.why[0]) == ((FAILED,), True)


def test_messages_that_circulate_for_ever_are_a_finding(monkeypatch):
    handle = Consumer._handle

    async def acts_and_asks_again(self, delivery):
        delivery.ack = delivery.requeue
        await handle(self, delivery)

    monkeypatch.setattr(Consumer, "_handle", acts_and_asks_again)
    monkeypatch.setattr("scenarios.campaigns.simulation.loop.MAX_TURNS", 20_000)
    assert look(Schedule(style="choreography")) is not None


def test_a_publisher_that_dies_as_its_message_is_taken_leaves_nothing_behind():
    """The message is durable, so it is delivered, whoever has asked for it."""
    plan = _plan({"operation": "PlaceOrder", "moment": Moment.CRASH_AFTER_COMMIT})
    schedule = Schedule(style="choreography", faults=plan)
    left = [play(replace(schedule, turns=turns)).backlog for turns in range(100)]
    assert left == [0] * 100


def test_repeated_delays_use_up_no_patience_as_long_as_somebody_is_at_work():
    always = {"operation": "PlaceOrder", "attempts": "all"}
    plan = _plan(
        {**always, "moment": Moment.REQUEST_DELAYED, "for_s": 75.0},
        {**always, "moment": Moment.CRASH_BEFORE_COMMIT},
    )
    schedule = Schedule(style="choreography", faults=plan)
    simulated = play(schedule)
    assert simulated.ended.settlement.how == "quiescent"
    assert finding(schedule, simulated) is None
    assert simulated.virtual_s > 20 * 75 * TIME_SCALE


def test_two_ways_to_spoil_a_message_can_meet():
    plan = _plan(
        {"operation": "ChargePayment", "moment": Moment.POISON},
        {"operation": "PlaceOrder", "moment": Moment.OVERSIZED_ANSWER},
    )
    schedule = Schedule(style="choreography", variant="payment-first", faults=plan)
    assert look(schedule) is None


def test_states_are_the_same_whatever_the_order_in_which_sagas_were_served():
    schedule = Schedule(style="orchestration", orders=3, rate_per_s=10_000)
    seen = [states("orchestration", play(replace(schedule, turns=t)).log) for t in range(3)]
    assert seen[0] == seen[1] == seen[2]
    lost = _plan({"operation": "ChargePayment", "moment": Moment.ANSWER_LOST})
    assert states("orchestration", play(replace(schedule, faults=lost)).log) - seen[0]


def test_exploration_finds_the_same_however_it_is_shared_out():
    space = replace(SPACE, guards="-inbox")
    whole, parts = explore_part(space, 0, 30, True), Explored()
    for first in range(0, 30, 10):
        parts.add(explore_part(space, first, 10, True))
    assert (whole.runs, whole.sagas, whole.classes) == (parts.runs, parts.sagas, parts.classes)
    assert {k: n for k, (n, _) in whole.kinds.items()} == {
        k: n for k, (n, _) in parts.kinds.items()
    }
    assert whole.failed > 1


def test_exploration_stops_at_the_first_thing_wrong_unless_told_otherwise():
    space = replace(SPACE, guards="-inbox")
    assert explore_part(space, 0, 60, False).failed == 1
    assert explore_part(space, 0, 60, True).failed > 1


@pytest.mark.slow
def test_findings_that_are_the_same_once_they_are_small_count_as_one():
    part = explore_part(replace(SPACE, guards="-inbox"), 0, 120, True)
    small = smallest(part, most=100)
    assert len(small) < len(part.kinds)
    assert sum(n for n, _ in small) == part.failed
    assert all(max(size(found.schedule)) <= 2 for _, found in small)


def test_a_story_tells_what_happened_in_order_and_what_is_wrong():
    late = _plan({"operation": "ReserveStock", "moment": Moment.REQUEST_DELAYED, "for_s": 75.0})
    schedule = Schedule(style="choreography", faults=late, bug="no_tombstones")
    lines = story(schedule, play(schedule), look(schedule))
    assert "the request arrives 75 s late" in lines[1]
    told = "\n".join(lines)
    places = [
        told.index(text)
        for text in (
            "order PlaceOrder, because of customer: done",
            "* ReserveStock, attempt 1",
            "shipping CancelShipment, because of OrderExpired: tombstone",
            "inventory ReserveStock, because of OrderPlaced: done (-1 units)",
            "Wrong: an order that ended otherwise has no effects left",
        )
    ]
    assert places == sorted(places)


def test_a_schedule_survives_json():
    for number in range(30):
        schedule = SPACE.schedule(number)
        assert Schedule.from_json(json.loads(json.dumps(schedule.to_json()))) == schedule


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"style": "dance"}, "style is 'dance'"),
        ({"scenario": "nothing"}, "scenario is 'nothing'"),
        ({"orders": 0}, "orders: 0 is less than"),
        ({"orders": "two"}, "orders: 'two' is not of type"),
        ({"bug": "a_bee"}, "bug is 'a_bee'"),
        ({"variant": "random"}, "variant is 'random'"),
        ({"schema": 2}, "schema: 1 was expected"),
        ({"colour": "red"}, "'colour' was unexpected"),
        ({"guards": "some"}, "some"),
        ({"faults": {"schema": 1, "faults": [{}]}}, "fault 0 of the plan"),
    ],
)
def test_a_schedule_that_is_none_is_refused_with_the_place(changes, told):
    with pytest.raises(UsageError, match=told):
        Schedule.from_json({**Schedule(style="choreography").to_json(), **changes})


def test_a_line_for_every_second_order_names_them():
    every = Fault(orders={"every": 2}, operation="ChargePayment", moment=Moment.ERROR)
    document = Schedule(style="choreography", orders=5, faults=FaultPlan(faults=(every,))).to_json()
    schedule = Schedule.from_json(document)
    assert [fault.orders for fault in schedule.faults.faults] == [(1, 3)]
    assert "order-00001, order-00003" in story(schedule, play(schedule), None)[1]


def test_variations_keep_the_orders_and_the_faults():
    schedule = SPACE.schedule(5)
    for varied in variations(schedule):
        assert varied.orders == schedule.orders
        assert [(f.orders, f.operation, f.moment) for f in varied.faults.faults] == [
            (f.orders, f.operation, f.moment) for f in schedule.faults.faults
        ]


def test_a_schedule_is_played_at_the_time_scale_of_virtual_time():
    assert Schedule(style="choreography").spec().policy() == Policy(time_scale=TIME_SCALE)


def test_faults_of_the_story_itself_are_told_by_their_names_too():
    refused = Fault(orders=(0,), operation="ReserveStock", moment=Moment.REFUSED)
    late = Fault(orders=(0,), operation="PlaceOrder", moment=Moment.REQUEST_DELAYED, for_s=0.5)
    schedule = Schedule(
        style="orchestration",
        scenario="card_declined",
        orders=2,
        faults=FaultPlan(faults=(refused,)),
        delays=FaultPlan(faults=(late,)),
    )
    lines = story(schedule, play(schedule), look(schedule))
    told = [line.split(",")[:2] for line in lines if line.startswith(("Fault", "Delay"))]
    assert told == [
        ["Fault: order-00001", " ChargePayment"],
        ["Fault: order-00000", " ReserveStock"],
        ["Delay: order-00000", " PlaceOrder"],
    ]
    told = {line.split("* ")[1].split(":")[0] for line in lines if "* " in line}
    assert {"ChargePayment, attempt 1", "ReserveStock, attempt 1"} <= told
    assert explore_part(_Fixed(schedule), 0, 1, False).struck == 2


class _Fixed:
    def __init__(self, schedule):
        self._schedule = schedule

    def schedule(self, number):
        return self._schedule


def test_a_clean_simulated_run_is_judged_by_the_same_judge():
    verdict = play(Schedule(style="orchestration", orders=2)).ended.verdict
    assert (verdict.judgement, verdict.counts()["committed"]) == (Judgement.CONSISTENT, 2)


def test_a_parked_message_is_shown_though_the_broker_forgot_that_it_was_delivered():
    schedule = Schedule(
        style="choreography",
        faults=_plan(
            {"operation": "BookShipment", "moment": Moment.REFUSED},
            {"operation": "RefundPayment", "moment": Moment.ERROR, "attempts": "all"},
            {
                "operation": "RefundPayment",
                "moment": Moment.COORDINATOR_KILLED,
                "attempts": (4,),
                "for_s": 3.0,
            },
        ),
    )
    assert look(schedule) is None
    assert play(schedule).ended.verdict.counts()["parked"] == 1


def test_nothing_of_a_job_is_lost_when_it_becomes_a_schedule():
    job = Job(
        key="k", scenario="scarce", style="orchestration", orders=3, seed=7, time_scale=0.5, rate_per_s=9.0,
        plan=FaultPlan(faults=(Fault(orders=(1,), operation="ChargePayment", moment=Moment.ERROR),)),
        guards="-inbox", saga="tests/sagas/ticket", variant="usual", bug="x",
    )  # fmt: skip
    assert schedule_of(job, turns=5).job("k", time_scale=0.5) == job


def test_a_participant_that_never_gives_way_is_ended_and_that_is_said(monkeypatch):
    def spins(*_, **__):
        while True:
            pass

    monkeypatch.setattr("scenarios.campaigns.simulation.simulated.CPU_S", 0.2)
    monkeypatch.setattr("shared_domain.order.participants.payment.load", spins)
    found = look(Schedule(style="choreography"))
    assert any("without giving way" in why for why in found.why)
