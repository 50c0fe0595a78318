"""The embedded Step Functions engine as a process of its own: `python -m orchestration --help`."""

import argparse
import logging
import sys
from pathlib import Path

import uvloop

from orchestration.engine.errors import HistoryDamaged
from orchestration.server import serve
from shared_domain.database import SYNCHRONOUS


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m orchestration", description=__doc__)
    parser.add_argument("--port", type=int, required=True, help="TCP port on 127.0.0.1")
    parser.add_argument("--data", type=Path, required=True, help="folder of the history")
    parser.add_argument(
        "--lambda-endpoint", required=True, help="http://host:port of the functions"
    )
    parser.add_argument("--time-scale", type=float, default=1.0, help="multiplies every second")
    parser.add_argument("--durability", choices=SYNCHRONOUS, default="process")
    parser.add_argument(
        "--express-twice", type=float, default=0.0, help="share of Express starts that start two"
    )
    return parser.parse_args()


def main() -> int:
    """Serve until SIGTERM; 0, or 2 with one line on standard error if it cannot."""
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(message)s")
    arguments = _arguments()
    try:
        arguments.data.mkdir(parents=True, exist_ok=True)
        uvloop.run(serve(**vars(arguments)))
    except (HistoryDamaged, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
