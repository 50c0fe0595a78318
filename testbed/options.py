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


def complete_scenarios(incomplete: str) -> list[str]:
    """The built-in scenarios whose names begin so, for a shell's completion: from the names of their modules, without importing them."""
    folder = Path(__file__).parents[1] / "shared_domain"
    names = {path.stem for path in folder.glob("*/scenarios/[a-z]*.py")}
    return sorted(name for name in names if name.startswith(incomplete))


Scenarios = Annotated[
    list[str] | None,
    typer.Argument(
        help="Scenario names from saga list, or all.", autocompletion=complete_scenarios
    ),
]
DEMO_TIME_SCALE = 0.02
SagaOption = Annotated[
    str,
    typer.Option(
        "--saga", metavar="NAME|FOLDER", help="A built-in saga, or the folder of your own."
    ),
]
StepOrder = Annotated[
    str,
    typer.Option("--step-order", help="Variant of the saga (see saga list); default: the first."),
]
Styles = Annotated[str, typer.Option("--style", help="both, or style names separated by commas.")]
Orders = Annotated[int, typer.Option(min=1, max=100_000, help="Number of orders in each run.")]
Seed = Annotated[int, typer.Option(min=0, help="Seed of customers, arrivals and random faults.")]
Out = Annotated[Path, typer.Option(help="Folder in which run folders are made.")]
Broker = Annotated[
    str,
    typer.Option(
        help="Broker of choreography: auto, memory, rabbitmq (a private node), or amqp://... (your own)."
    ),
]
Engine = Annotated[
    str,
    typer.Option(
        help="Step Functions of orchestration: auto, inprocess, embedded (over HTTP), or http://... (your own)."
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document on standard output.")]
TimeScale = Annotated[
    float,
    typer.Option(
        min=0.001,
        max=100,
        help="Factor on every wait, deadline, service time and for_s of a plan.",
    ),
]
TraceSampling = Annotated[
    float, typer.Option(min=0.0, max=1.0, help="Share of traces to record, 0 to 1.")
]
Otlp = Annotated[
    str,
    typer.Option(
        help="Also send the spans to this OTLP endpoint, e.g. http://127.0.0.1:4318/v1/traces"
    ),
]
Rate = Annotated[
    float, typer.Option(min=0.01, max=10_000, help="Customers per second of real time.")
]
ArrivalsOption = Annotated[
    Arrivals, typer.Option(help="Distribution of the gaps between customers.")
]
ServiceTimesOption = Annotated[
    str,
    typer.Option(
        help="How long services take, in ms before --time-scale: none, or payment=lognormal:80:800,inventory=constant:5 (median, p99). Default: the scenario's."
    ),
]
VarietyOption = Annotated[
    str,
    typer.Option(
        help="How customers differ: usual, all (order ids too), none, or names such as quantities,items,amounts,texts,customers,twice,changed."
    ),
]
OrderArgument = Annotated[str, typer.Argument(help="An order id, such as order-00003.")]
Below = Annotated[
    Path,
    typer.Option("--run", help="A run folder, or a folder of run folders; the newest run that has the order is used."),
]  # fmt: skip
