"""What a check has to say: where, what, and what it costs."""

from dataclasses import dataclass

from kernel.pages import Place


@dataclass(frozen=True, slots=True)
class Finding:
    """One mistake. `costs`: what it will cost a customer, or whoever runs the saga."""

    place: Place
    says: str
    costs: str

    def __str__(self) -> str:
        """As compilers print it."""
        return f"{self.place}: {self.says}"
