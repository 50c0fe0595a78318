"""The safeguards that a run can switch off, to show what each is for."""

from dataclasses import dataclass, fields, replace
from typing import Self

from kernel.errors import UsageError, nearest


@dataclass(frozen=True, slots=True, kw_only=True)
class Guards:
    """True = on. Off means what tutorials do; see `OFF` for the exact meaning of each."""

    outbox: bool = True
    inbox: bool = True
    confirms: bool = True
    retries: bool = True
    compensation_retries: bool = True
    dead_letters: bool = True
    tombstones: bool = True
    timeouts: bool = True
    semantic_lock: bool = True

    @classmethod
    def all(cls) -> Self:
        """Every safeguard on: the default."""
        return cls()

    @classmethod
    def none(cls) -> Self:
        """The naive implementation of most tutorials."""
        return cls(**dict.fromkeys(OFF, False))

    @classmethod
    def parse(cls, text: str) -> Self:
        """Guards from `all`, `none`, or a list of those to switch off: `-outbox,-inbox`."""
        if text in ("all", "none"):
            return cls.all() if text == "all" else cls.none()
        names = [part.strip() for part in text.split(",") if part.strip()]
        wrong = [n for n in names if not n.startswith("-") or n[1:] not in OFF]
        if wrong or not names:
            like = nearest(wrong[0].removeprefix("-"), OFF) if wrong else ""
            if wrong and wrong[0] in OFF:
                like = f": to switch it off write -{wrong[0]}"
            raise UsageError(
                f"unknown guards {text!r}{like}: use all, none, or a list to switch off such as "
                f"-outbox,-inbox (guards: {', '.join(OFF)})"
            )
        return replace(cls.all(), **{n[1:]: False for n in names})

    def __str__(self) -> str:
        """The shortest text that `parse` turns back into these guards."""
        off = [f.name for f in fields(self) if not getattr(self, f.name)]
        if len(off) == len(OFF):
            return "none"
        return ",".join(f"-{name}" for name in off) or "all"


OFF: dict[str, str] = {
    "outbox": "commit, then publish, then ack; a repeated message is not published again",
    "inbox": "no deduplication: a repeated message acts again",
    "confirms": "publish and forget; the relay marks at sending",
    "retries": "the first failure of a forward step is final",
    "compensation_retries": "the first failure of a compensation is final",
    "dead_letters": "what cannot be handled is dropped",
    "tombstones": "a compensation without effect is not remembered; a late step acts",
    "timeouts": "no step deadline and no saga deadline",
    "semantic_lock": "an order is shown as confirmed from the start",
}
