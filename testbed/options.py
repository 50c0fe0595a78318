"""The options that several commands share."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from scenarios.runs.arrivals import Arrivals


class Durability(StrEnum):
    """What a run's data survive."""

    process = "process"
    power = "power"


DEMO_TIME_SCALE = 0.02
SagaOption = Annotated[
    str,
    typer.Option("--saga", metavar="NAME|FOLDER", help="A built-in saga, or a folder of yours."),
]
StepOrder = Annotated[
    str, typer.Option("--step-order", help="A variant of the saga; default: its first.")
]
Orders = Annotated[int, typer.Option(min=1, max=100_000, help="Orders in each run.")]
Seed = Annotated[int, typer.Option(min=0, help="Decides customers, arrivals and chance.")]
Out = Annotated[Path, typer.Option(help="Folder for run folders.")]
Broker = Annotated[str, typer.Option(help="auto, memory, rabbitmq, or amqp://...")]
Engine = Annotated[str, typer.Option(help="auto, inprocess, embedded, or http://...")]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON document on standard output.")]
TimeScale = Annotated[
    float,
    typer.Option(
        min=0.001,
        max=100,
        help="Multiplies every wait, deadline, service time and for_s of a plan.",
    ),
]
TraceSampling = Annotated[
    float, typer.Option(min=0.0, max=1.0, help="Share of traces that are recorded.")
]
Otlp = Annotated[
    str,
    typer.Option(
        help="OTLP endpoint that gets the spans too, e.g. http://127.0.0.1:4318/v1/traces"
    ),
]
Rate = Annotated[
    float, typer.Option(min=0.01, max=10_000, help="Customers per second of real time.")
]
ArrivalsOption = Annotated[Arrivals, typer.Option(help="The gaps between customers.")]
ServiceTimesOption = Annotated[
    str,
    typer.Option(
        help="How long services take, in ms before --time-scale: none, or payment=lognormal:80:800,inventory=constant:5 (median, p99). Default: the scenario's."
    ),
]
