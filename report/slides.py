"""A deck for the workshop as one page: its pictures and figures are the documentation's own, so they are as new as those are."""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from markupsafe import Markup

from kernel.errors import UsageError
from kernel.guards import OFF
from report.decision.figures import measured
from report.html import environment
from scenarios.judge.verdict import LIED, MEANING
from scenarios.styles.index import STYLES


@dataclass(frozen=True, slots=True, kw_only=True)
class Slide:
    """One of them: what is said, and a picture or a table."""

    title: str
    points: tuple[str, ...] = ()
    picture: str = ""
    """An SVG as Markup, since it is drawn by this program; anything else is escaped."""
    rows: tuple[tuple[str, ...], ...] = field(default=())
    command: str = ""
    source: str = ""


def slides(docs: Path) -> list[Slide]:
    """The deck, from the documentation in `docs`. Raise UsageError if that is not there."""
    known = measured()
    figures = [
        (of.what, of.choreography[1], of.orchestration[1])
        for name in ("where_and_why", "changing", "listening", "forgotten", "recovery")
        if (of := known[name])
    ]
    exhibits = json.loads(_read(docs / "data/exhibits.json"))["exhibits"]
    return [
        Slide(
            title="Choreography or orchestration?",
            points=tuple(style.words for style in STYLES.values()),
            source="Both are implemented here over the same four services, struck by the same faults, and judged by the services' own ledgers.",
        ),
        Slide(title="By events: nobody has the whole in view", picture=_picture(docs, "one_saga_choreography.svg")),
        Slide(title="By a conductor: somebody knows, and everybody waits for it", picture=_picture(docs, "one_saga_orchestration.svg")),
        Slide(
            title="How many of 24 customers are hurt?",
            points=(
                "The payment takes the money, and its answer is lost.",
                "A service dies after its commit and before it has told anybody.",
                "The refund does not work, however often it is tried.",
                "Write down three numbers for each style. Then look.",
            ),
            command="saga demo",
        ),
        Slide(
            title="Which state results?",
            rows=(("an order is", "if"), *((str(name), words) for name, words in MEANING.items()), (f"(a flag) {LIED}", "a status shown to the customer contradicts the ledgers")),
            source="First match wins. Only the services' own ledgers decide.",
        ),
        Slide(title="The lost reply", picture=_picture(docs, "lost_reply.svg"), command="saga lab start 2"),
        Slide(
            title="Nine safeguards, and what happens without each",
            rows=(("safeguard", "without it"), *OFF.items()),
            command="saga list",
        ),
        Slide(title="Every fault at every step, without the inbox", picture=_picture(docs, "heat_map.svg"), command="saga sweep --simulated --guards=-inbox"),
        Slide(
            title="With the safeguards both keep their promises. What differs?",
            rows=(("", *STYLES), *figures),
            source="; ".join(dict.fromkeys(known[name].command for name in ("where_and_why", "changing", "listening", "forgotten", "recovery"))),
        ),
        Slide(
            title="What people publish",
            rows=(("system", "claims that hold"), *((one["title"], f"{sum(not claim['missed'] for claim in one['claims'])} of {len(one['claims'])}") for one in exhibits)),
            command="saga exhibit run all",
        ),
        Slide(
            title="Be the network",
            points=("Nothing moves until you say so.", "Make the customer pay twice, in as few moves as you can.", "Then switch the safeguard on, and try again."),
            command="saga play",
        ),
        Slide(
            title="Your own case",
            points=("Who changes the flow, and how often?", "Who is asked at night where an order is?", "Who else wants to hear of it?", "What does one wrong order cost?"),
            command="saga decide",
        ),
    ]  # fmt: skip


def deck(docs: Path, more: Iterable[Slide] = ()) -> str:
    """The page: complete in itself, nothing is loaded from elsewhere; `more` stand before the last slide."""
    *first, last = slides(docs)
    return environment().get_template("slides.html.j2").render(slides=[*first, *more, last])


def _picture(docs: Path, name: str) -> Markup:
    """An SVG of our own, to stand in a page: without the XML prologue."""
    text = _read(docs / name)
    return Markup(text[text.index("<svg") :])  # noqa: S704 - drawn by this program


def _read(path: Path) -> str:
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise UsageError(
            f"{path} is not there: make slides in a clone of the repository"
        ) from error
    return re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
