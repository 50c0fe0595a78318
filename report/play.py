"""What `saga play` shows: a position as a JSON document, and the page that draws it."""

from collections import Counter
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from markupsafe import Markup

from kernel.guards import OFF
from kernel.ledger import Effect
from kernel.loading import load_saga
from kernel.saga import Saga
from report.charts import inline_svg
from report.flow import Walk, walk_figure
from report.html import environment
from report.replay import holds
from scenarios.campaigns.play.demonstration import ACTS, MOST_PER_S
from scenarios.campaigns.play.facts import Facts, facts
from scenarios.campaigns.play.gates import LET, Waiting
from scenarios.campaigns.play.level import ALL_OFF, Level, Proof, levels_of, proofs_of
from scenarios.campaigns.play.setup import MOST_ORDERS, Setup
from scenarios.campaigns.play.table import WAIT, Option, Position, play
from scenarios.campaigns.simulation.story import steps
from scenarios.judge.verdict import BAD, MEANING, OrderClass
from scenarios.styles.index import STYLES
from scenarios.styles.style import Style

REQUEST_WORDS: Mapping[str, str] = {
    LET: "Let {name} reach the {service} service",
    "lose": "Lose {name} before the {service} service sees it",
    "twice": "Deliver {name} twice",
    "fail": "Let the {service} service fail at {name}, before it commits",
    "crash-before": "Crash the {service} service at {name}, before it commits",
    "crash-after": "Crash the {service} service at {name}, after it committed",
    "lose-answer": "Let the {service} service do {name}, and lose its answer",
    "hang": "Let the {service} service hang at {name}, silent for ever",
    "kill": "Kill the {coordinator} while the {service} service has {name} in hand",
}
ANSWER_WORDS: Mapping[str, str] = {
    LET: "Let {name} travel on",
    "twice": "Deliver {name} twice",
    "garble": "Garble {name}: nobody can read it",
}
NARROW_INCHES = 8.8
"""Half of a screen: names stay large enough to read."""
LET_TIME_GO = "Let time pass until a timer fires"
_MARK = {
    Effect.DONE: "done",
    Effect.UNDONE: "undone",
    Effect.TOMBSTONE: "undone",
    Effect.REFUSED: "refused",
}

_WELL = {OrderClass.COMMITTED, OrderClass.COMPENSATED, OrderClass.REJECTED}


def position_json(position: Position, saga: Saga, level: Level | None = None) -> dict[str, Any]:
    """Everything that the page shows of a position."""
    orders = facts(position.ended, saga, over=position.over)
    return {
        "choices": list(position.choices),
        "moves": position.moves,
        "over": position.over,
        "options": [_option(option, position, saga) for option in position.options],
        "waiting": [_waiting(one, saga) for one in position.waiting],
        "orders": [
            _order(order, told, saga) for order, told in zip(orders, position.told, strict=True)
        ],
        "services": [_service(name, orders, saga) for name in saga.services],
        "marks": _marks(orders),
        "story": steps(position.schedule, position.simulated),
        "laws": _broken_laws(position),
        "level": _level(position, saga, level) if level else None,
    }


def _option(option: Option, position: Position, saga: Saga) -> dict[str, Any]:
    key = option.waiting.key if option.waiting else ""
    return {
        "choice": option.choice,
        "words": _words(option, STYLES[position.setup.style], saga),
        "usual": option.usual,
        "message": key,
    }


def _words(option: Option, style: Style, saga: Saga) -> str:
    waiting = option.waiting
    if waiting is None:
        return LET_TIME_GO if option.act == WAIT else option.act
    words = REQUEST_WORDS if waiting.kind == "request" else ANSWER_WORDS
    return words[option.act].format(
        name=waiting.name,
        service=saga.served_by[waiting.operation],
        coordinator="conductor" if style.conducted else "broker",
    )


def _waiting(one: Waiting, saga: Saga) -> dict[str, Any]:
    service = saga.served_by[one.operation]
    number = "" if one.number == 1 else f", number {one.number}"
    where = f"to {service}" if one.kind == "request" else f"from {service}"
    return {
        "key": one.key,
        "kind": one.kind,
        "order": one.order,
        "node": one.operation,
        "words": f"{one.name} {where}{number}",
    }


def _order(order: Facts, told: tuple[str, ...], saga: Saga) -> dict[str, Any]:
    """One order: what its customer sees, what services hold of it, and the judge's word once it is certain."""
    known = [status for status in told if status != "UNKNOWN"]
    named = zip(saga.resources, holds(saga, list(order.rows))[1:], strict=True)
    lied = ", and the customer was lied to" if order.lied else ""
    meaning = MEANING[OrderClass(order.order_class)]
    return {
        "id": order.order_id,
        "told": list(dict.fromkeys(known)),
        "holds": [{"name": resource.name, "value": value} for resource, value in named],
        "certain": order.certain,
        "class": f"{order.order_class}{lied}" if order.certain else "",
        "meaning": order.why or meaning,
        "look": _look(order),
    }


def _look(order: Facts) -> str:
    """Whether that is good, bad, or neither: late, or left to an operator."""
    if not order.certain:
        return ""
    if order.order_class in BAD or order.lied:
        return "bad"
    return "good" if order.order_class in _WELL else ""


def _service(name: str, orders: list[Facts], saga: Saga) -> dict[str, Any]:
    rows = sorted(
        (row for order in orders for row in order.rows if row["participant"] == name),
        key=lambda row: float(row["mono_s"]),
    )
    resource = next((r for r in saga.resources if r.participant == name), None)
    unit = resource.unit if resource else ""
    balance = (
        f"{resource.name}: {resource.shown(sum(r['delta'] for r in rows))}" if resource else ""
    )
    return {
        "name": name,
        "balance": balance,
        "rows": [
            {
                "operation": row["operation"],
                "effect": row["effect"],
                "delta": f"{row['delta']:+d} {unit}" if row["delta"] else "",
                "again": again,
            }
            for row, again in _again(rows)
        ],
    }


def _again(rows: list[dict[str, Any]]) -> Iterator[tuple[dict[str, Any], bool]]:
    """Every row, and whether the same was done before."""
    seen: Counter[tuple[str, str, str]] = Counter()
    for row in rows:
        key = row["order_id"], row["operation"], row["effect"]
        seen[key] += 1
        yield row, seen[key] > 1 and row["effect"] in (Effect.DONE, Effect.UNDONE)


def _marks(orders: list[Facts]) -> dict[str, str]:
    """Operation -> how it is coloured."""
    found: dict[str, str] = {}
    for order in orders:
        for row in order.rows:
            found[row["operation"]] = _MARK.get(row["effect"], "refused")
        for row in order.rows:
            if order.done(row["operation"]) > 1:
                found[row["operation"]] = "twice"
    return found


def _broken_laws(position: Position) -> list[str]:
    if not position.over:
        return []
    return [law.law for law in position.ended.verdict.laws if not law.held]


def _level(position: Position, saga: Saga, level: Level) -> dict[str, Any]:
    won = level.won(position.ended, saga, over=position.over)
    proof = proofs_of(saga.address).get(level.name, {}).get(position.setup.style)
    stars = proof.stars(position.moves) if proof and won else 0
    return {"won": won, "stars": stars}


def levels_json(saga: Saga) -> list[dict[str, Any]]:
    """Every level, with what is known of it in each style."""
    return [_level_json(number, level, saga) for number, level in enumerate(levels_of(saga), 1)]


def _level_json(number: int, level: Level, saga: Saga) -> dict[str, Any]:
    proofs = proofs_of(saga.address).get(level.name, {})
    off = [level.guard, *level.also_off]
    meaning = "every safeguard is off" if level.guard == ALL_OFF else OFF[level.guard]
    return {
        "number": number,
        "name": level.name,
        "title": level.title,
        "goal": level.goal,
        "lesson": level.lesson,
        "guard": "all safeguards" if level.guard == ALL_OFF else level.guard,
        "off": off,
        "meaning": meaning,
        "refused": level.refused,
        "variant": level.variant,
        "harm": level.harm,
        "styles": {
            style: {
                "par": proof.par,
                "limit": proof.limit,
                "setup": _setup(level, saga, style, guarded=False),
                "guarded": _setup(level, saga, style, guarded=True),
                "proof": guarded_words(proof),
            }
            for style, proof in proofs.items()
        },
    }


def _setup(level: Level, saga: Saga, style: str, *, guarded: bool) -> dict[str, Any]:
    setup = level.setup(saga, style, guarded=guarded)
    return {
        "guards": setup.guards,
        "variant": setup.variant,
        "orders": setup.orders,
        "refused": setup.refused,
    }


def guarded_words(proof: Proof) -> str:
    """What is known of a level with its safeguard on."""
    games = (
        f"All {proof.tried:,} games with at most {proof.limit} moves were played with it on:"
        f" {proof.guarded_wins or 'none'} of them reached the goal."
    )
    if proof.schedules is None:
        return f"{games} With more moves it can be reached: the safeguard buys patience, not certainty."
    return (
        f"{games} Of {proof.schedules:,} random schedules with up to three faults,"
        f" {proof.schedule_wins or 'none'} reached it."
    )


@cache
def flow_svg(address: str, style: str, variant: str) -> Markup:
    """The flow of a saga in a style, with nothing gone yet."""
    saga = load_saga(address)
    start = play(Setup(style=style, saga=address, variant=variant), [])
    walk = Walk(
        saga=saga,
        style=style,
        variant=variant or saga.variant,
        definition=start.definition,
    )
    return inline_svg(
        walk_figure(walk, least_inches=NARROW_INCHES),
        f"The flow of the {saga.name} saga in {style}.",
    )


def page(saga: Saga, opened: int) -> str:
    """The page of the game as HTML; it needs play.js and this server, and no other network. `opened`: a level, 0 = free play."""
    game = {
        "opened": opened,
        "levels": levels_json(saga),
    }
    return (
        environment()
        .get_template("play.html.j2")
        .render(
            saga=saga.name,
            styles=[
                {"name": s.name, "words": s.words, "without": sorted(s.guards_without)}
                for s in STYLES.values()
            ],
            levels=[level["title"] for level in levels_json(saga)],
            guards=OFF,
            refusable=[step for step in saga.forward if step in saga.refusable],
            variants=list(saga.variants),
            orders=range(1, MOST_ORDERS + 1),
            most_per_s=MOST_PER_S,
            operations=saga.operations,
            acts={act: _at_a_service(act) for act in ACTS},
            game=game,
        )
    )


def _at_a_service(act: str) -> str:
    """What an act does, without naming the message."""
    return REQUEST_WORDS[act].format(name="it", service="", coordinator="").replace("  ", " ")


def script() -> str:
    """The page's JavaScript."""
    source, _, _ = environment().loader.get_source(environment(), "play.js")  # type: ignore[union-attr]  # a PackageLoader
    return source
