"""Compute what is known of the levels of `saga play`, and write it beside them: `python -m testbed.play_levels`.

It takes about ten minutes on two cores. A test computes a sample again, and `make long` all of it.
"""

import json
import sys

from kernel.loading import DEFAULT, load_saga
from scenarios.campaigns.play.level import levels_of, proofs_file
from scenarios.campaigns.play.proving import document, prove

SCHEDULES = 10_000
COMMAND = "python -m testbed.play_levels"


def main() -> None:
    """Write levels.json of the order saga."""
    names = [level.name for level in levels_of(load_saga(DEFAULT))]
    proofs = prove(
        DEFAULT, names, schedules=SCHEDULES, report=lambda line: print(line, file=sys.stderr)
    )
    text = json.dumps(document(proofs, COMMAND), indent=1) + "\n"
    path = proofs_file(DEFAULT)
    assert path is not None
    path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
