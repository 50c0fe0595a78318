"""The game without its page: positions, levels, pars, and games as schedules."""

import random
from dataclasses import asdict

import pytest

from kernel.errors import UsageError
from kernel.guards import OFF
from scenarios.campaigns.play.demonstration import Demonstration, second
from scenarios.campaigns.play.export import exported
from scenarios.campaigns.play.facts import facts
from scenarios.campaigns.play.level import level_of, levels_of, proofs_of
from scenarios.campaigns.play.proving import every_game, prove, some_schedules
from scenarios.campaigns.play.search import games, search
from scenarios.campaigns.play.setup import MOST_CHOICES, Setup
from scenarios.campaigns.play.table import NEXT, WAIT, NotPossible, play
from scenarios.campaigns.simulation.finding import finding
from scenarios.campaigns.simulation.schedule import TIME_SCALE, Schedule, Space
from scenarios.campaigns.simulation.simulated import play as simulate
from scenarios.faults.plan import LATE_S
from scenarios.judge.verdict import BAD
from scenarios.styles.index import STYLES
from shared_domain.order.saga import SAGA
from shared_domain.trip.saga import SAGA as TRIP

LEVELS = levels_of(SAGA)
PAIRS = [(level, style) for level in LEVELS for style in level.styles]
IDS = [f"{level.name}-{style}" for level, style in PAIRS]
BOTH = pytest.mark.parametrize("style", STYLES)


def _classes(position):
    return [one.order_class for one in facts(position.ended, SAGA, over=position.over)]


@BOTH
def test_nothing_moves_until_the_player_chooses(style):
    start = play(Setup(style=style), [])
    assert [one.key for one in start.waiting] == ["0.PlaceOrder.1"]
    assert not any(tables["ledger"] for tables in start.ended.ledgers.values())
    assert not start.over
    then = play(Setup(style=style), [NEXT])
    assert [len(t["ledger"]) for t in then.ended.ledgers.values()] == [1, 0, 0, 0]


@BOTH
def test_an_order_that_nobody_disturbs_is_confirmed(style):
    end = play(Setup(style=style), [], on=True)
    assert end.over
    assert _classes(end) == ["committed"]
    assert end.moves == 0
    assert end.choices == (NEXT,) * len(end.choices)


@BOTH
def test_the_same_choices_give_the_same_position_whatever_was_played_before(style):
    setup, choices = Setup(style=style, guards="-inbox", orders=2), [NEXT, WAIT, NEXT, NEXT]
    first = play(setup, choices)
    play(Setup(style=style), [NEXT], on=True)
    again = play(setup, choices)
    assert first.simulated.log == again.simulated.log
    assert first.ended.ledgers == again.ended.ledgers
    assert [o.choice for o in first.options] == [o.choice for o in again.options]


@pytest.mark.parametrize(
    ("choices", "says"),
    [
        (["nonsense"], "choice 1, 'nonsense', is not possible there; possible were: next, "),
        ([NEXT, "0.PlaceOrder.1.lose"], "choice 2"),
        ([NEXT] * 30, "the game is over before it"),
        ([NEXT] * (MOST_CHOICES + 1), f"at most {MOST_CHOICES}"),
        (["x" * 10_000], "is not possible there"),
    ],
)
def test_a_choice_that_there_is_not_is_refused_in_a_sentence(choices, says):
    with pytest.raises(NotPossible) as refused:
        play(Setup(style="choreography"), choices)
    assert says in str(refused.value)
    assert len(str(refused.value)) < 600


@pytest.mark.parametrize(
    "document",
    [
        None, [], {}, {"style": 1}, {"style": "chorus"}, {"style": "choreography", "orders": 9},
        {"style": "choreography", "orders": True}, {"style": "choreography", "guards": "-brakes"},
        {"style": "choreography", "variant": "sideways"}, {"style": "choreography", "refused": "ConfirmOrder"},
        {"style": "choreography", "saga": "/etc"},
    ],
)  # fmt: skip
def test_a_set_up_that_is_damaged_is_refused_in_a_sentence(document):
    with pytest.raises(UsageError):
        Setup.from_json(document, saga="order")


def test_what_was_done_twice_is_certain_at_once_and_all_else_only_at_the_end():
    setup = Setup(style="orchestration", guards="-inbox")
    twice = play(setup, [NEXT, NEXT, NEXT, NEXT, "0.ChargePayment.1.twice"])
    (order,) = facts(twice.ended, SAGA, over=twice.over)
    assert (order.order_class, order.certain, twice.over) == ("duplicated", True, False)
    started = play(setup, [NEXT, NEXT])
    (order,) = facts(started.ended, SAGA, over=started.over)
    assert not order.certain


@BOTH
def test_a_message_is_held_past_the_saga_deadline_and_not_for_ever(style):
    position = play(Setup(style=style), [NEXT, NEXT])
    first = position.waiting[0]
    choices = [NEXT, NEXT]
    while first.key in {one.key for one in position.waiting}:
        choices.append(WAIT)
        position = play(Setup(style=style), choices)
    held_s = (position.simulated.virtual_s - first.since_s) / TIME_SCALE
    assert LATE_S <= held_s < LATE_S + 10


@pytest.mark.slow
@BOTH
def test_with_every_safeguard_on_no_game_of_chance_does_harm_and_each_is_a_schedule(style):
    chance = random.Random(style)
    for _ in range(25):
        setup = Setup(
            style=style,
            orders=chance.choice((1, 1, 2)),
            variant=chance.choice([*SAGA.variants]),
            refused=chance.choice(("", "ChargePayment", "BookShipment")),
        )
        position = play(setup, [])
        while not position.over and len(position.choices) < 40:
            options = [o.choice for o in position.options]
            choice = options[0] if chance.random() < 0.7 else chance.choice(options)
            position = play(setup, [*position.choices, choice])
        end = play(setup, position.choices, on=True) if not position.over else position
        assert not set(_classes(end)) & BAD, (setup, end.choices)
        schedule = exported(end).schedule
        again = Schedule.from_json(schedule.to_json())
        assert again == schedule.with_orders_named()
        assert finding(again, simulate(again)) is None, (setup, end.choices)


def test_every_safeguard_has_a_level_and_there_are_at_least_fourteen():
    assert len(LEVELS) >= 14
    assert {level.guard for level in LEVELS} == {*OFF, "none"}
    for level, style in PAIRS:
        assert level.guard not in STYLES[style].guards_without


@pytest.mark.parametrize(("level", "style"), PAIRS, ids=IDS)
def test_a_level_is_won_with_its_par_and_with_no_fewer_moves(level, style):
    proof, setup = proofs_of("order")[level.name][style], level.setup(SAGA, style)
    end = play(setup, proof.won)
    assert level.won(end.ended, SAGA, over=end.over)
    assert end.moves == proof.par
    fewer = search(setup, lambda p: level.won(p.ended, SAGA), moves=proof.par - 1)
    assert fewer.won is None
    assert fewer.tried >= 1
    assert exported(end).same


@pytest.mark.parametrize(("level", "style"), PAIRS[::4], ids=IDS[::4])
def test_with_its_safeguard_on_no_single_move_wins_a_level(level, style):
    tried, wins = every_game(level.setup(SAGA, style, guarded=True), 1, (level.name,))
    assert tried > 50
    assert wins == {level.name: 0}


def test_what_is_known_of_levels_is_what_their_document_says_and_is_no_win_with_the_safeguard_on():
    known = proofs_of("order")
    assert {(name, style) for name, by in known.items() for style in by} == {
        (level.name, style) for level, style in PAIRS
    }
    for level, style in PAIRS:
        proof = known[level.name][style]
        assert proof.guarded_wins == 0
        assert proof.tried > 1000
        assert (proof.schedules is not None) is level.harm
        assert proof.schedule_wins == 0


def test_random_schedules_reach_a_goal_where_the_safeguard_is_off():
    space = Space(styles=["choreography"], faults=(0, 3), seed=21, guards="-inbox")
    runs, wins = some_schedules(space, 0, 60, ("paid-twice",))
    assert runs == 60
    assert wins["paid-twice"] > 0


def test_stars_are_for_few_moves():
    proof = proofs_of("order")["paid-twice"]["orchestration"]
    assert [proof.stars(n) for n in (1, 2, 3)] == [3, 2, 1]


def _many(style, guards, **changes):
    asked = {"setup": {"style": style, "guards": guards}, "rate": 20, "act": "lose-answer",
             "operation": "ChargePayment", "share": 0.5, "seed": 3}  # fmt: skip
    return Demonstration.from_json(asked | changes, saga="order")


@BOTH
def test_the_demonstration_counts_what_the_judge_says_of_many_customers(style):
    safe, harmed = second(_many(style, "all")), second(_many(style, "-inbox"))
    assert safe.counts["committed"] == 20
    assert safe.at_risk_cents == 0
    assert harmed.counts["wrong"] >= 5
    assert sum(harmed.counts.values()) == 20
    assert harmed.at_risk_cents > 0
    silent = second(_many(style, "-timeouts", act="hang", share=1.0))
    assert silent.counts["stuck"] == 20
    assert second(_many(style, "none", act="")).counts["committed"] == 20


@pytest.mark.parametrize(
    "changes",
    [
        {"rate": 0}, {"rate": 1.5}, {"rate": True}, {"rate": 10_000}, {"share": 2}, {"share": "x"}, {"share": None},
        {"seed": -1}, {"seed": 2**40}, {"act": "kill"}, {"act": ["hang"]}, {"operation": "Sing"}, {"setup": None},
    ],
)  # fmt: skip
def test_a_demonstration_that_is_damaged_is_refused_in_a_sentence(changes):
    with pytest.raises(UsageError):
        _many("choreography", "all", **changes)


def test_a_saga_without_levels_is_played_freely():
    assert levels_of(TRIP) == ()
    with pytest.raises(UsageError, match="has no levels"):
        level_of(TRIP, 1)
    for style in STYLES:
        assert play(Setup(style=style, saga="trip"), [], on=True).over


@pytest.mark.parametrize("number", [-1, 0, 99])
def test_a_level_that_there_is_not_is_refused(number):
    with pytest.raises(UsageError, match="there is no level"):
        level_of(SAGA, number)


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_what_is_known_of_every_level_is_computed_again():
    again = prove("order", [level.name for level in LEVELS], schedules=10_000, report=print)
    known = proofs_of("order")
    assert {n: {s: asdict(p) for s, p in by.items()} for n, by in again.items()} == {
        n: {s: asdict(p) for s, p in by.items()} for n, by in known.items()
    }


def test_games_come_with_the_fewest_moves_first_and_none_twice():
    found = [position.choices for position in games(Setup(style="orchestration"), moves=1)]
    assert len(set(found)) == len(found) > 40
    assert [sum(c != NEXT for c in one) for one in found] == [0] + [1] * (len(found) - 1)
