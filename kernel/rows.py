"""The page of reactions as the rows of a saga have it: what the page written by hand is compared with, and what the judge goes by."""

from kernel.messages import Message
from kernel.reactions import Doing, Reaction
from kernel.saga import Saga
from kernel.steps import Stage


def reactions_by_rows(saga: Saga, variant: str) -> list[Reaction]:
    """The lines that the rows make."""
    stages, found = saga.stages(variant), list[Reaction]()

    def react(doing: list[Doing], *needs: frozenset[type[Message]]) -> None:
        found.extend(
            Reaction(service=service, command=command, needs=needs) for service, command in doing
        )

    first = saga.rows(variant)[0]
    react([(first.service, first.command)], _set(first.command))
    for number, stage in enumerate(stages):
        back = _undoes(next((s for s in reversed(stages[:number]) if _undoes(s)), ()))
        onward = [(s.service, s.command) for later in stages[number + 1 :][:1] for s in later]
        react(onward, *(_set(step.done) for step in stage))
        for step in stage:
            others = _undoes(tuple(s for s in stage if s is not step))
            own = _undoes((step,))
            # What needs no undo has nothing to undo when it gives up, either: the chain starts at the stage before it.
            react(onward, _set(step.kept))
            react((own + others) or back, _set(step.gave_up))
            if others:
                react(others, _set(step.refused))
            if step.pivot:
                react(own, _set(saga.expired))
        if len(stage) > 1:
            react(back, *(_set(step.refused, step.undone) for step in stage))
        else:
            for answer in (a for step in stage for a in (step.refused, step.undone)):
                react(back, _set(answer))
    return [reaction for reaction in found if all(reaction.needs)]


def _undoes(stage: Stage) -> list[Doing]:
    return [(step.service, step.undo) for step in stage if step.undo]


def _set(*kinds: type[Message] | None) -> frozenset[type[Message]]:
    return frozenset(kind for kind in kinds if kind is not None)
