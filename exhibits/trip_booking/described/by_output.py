"""Cancels that find their record through the answer of the forward step, as the published ones do.

Commands here do not carry that answer. Their cause says whether there was one: if the step never answered, the last thing that
anybody heard is the answer of the step before, or that the step was given up.
"""

from kernel.messages import Command, Message


def has_output(command: Command, *without: type[Message]) -> bool:
    """Whether the forward step's answer ever arrived. `without`: what causes the cancel if it did not."""
    cause = command.caused_by.rpartition(":")[2]
    return cause not in {kind.__name__ for kind in without}
