"""`saga engine`."""

import sqlite3
from pathlib import Path
from typing import Annotated

import typer

from kernel import event_loop
from kernel.errors import UsageError
from kernel.scratch import scratch
from orchestration.engine.errors import HistoryDamaged
from orchestration.engine.service_calls import parse_services
from orchestration.server import serve
from testbed.options import Durability, TimeScale


def engine(
    port: Annotated[int, typer.Option(min=0, max=65535, help="TCP port on 127.0.0.1; 0 = any.")],
    lambda_endpoint: Annotated[
        str, typer.Option(help="Endpoint that serves the Lambda functions: http://host:port")
    ],
    data: Annotated[Path | None, typer.Option(help="Folder for the durable history.")] = None,
    memory: Annotated[
        bool, typer.Option("--memory", help="Keep the history in memory only, instead of --data.")
    ] = False,
    durability: Annotated[
        Durability, typer.Option(help="What the history survives.")
    ] = Durability.process,
    time_scale: TimeScale = 1.0,
    express_twice: Annotated[
        float,
        typer.Option(
            min=0.0,
            max=1.0,
            help="Fault to inject: the share of Express starts that start two executions, as at-least-once allows.",
        ),
    ] = 0.0,
    sns_endpoint: Annotated[
        str, typer.Option(help="Endpoint for sns:publish: http://host:port of moto, say, or AWS's.")
    ] = "",
    sqs_endpoint: Annotated[str, typer.Option(help="Endpoint for sqs:sendMessage.")] = "",
    events_endpoint: Annotated[str, typer.Option(help="Endpoint for events:putEvents.")] = "",
    dynamodb_endpoint: Annotated[
        str, typer.Option(help="Endpoint for dynamodb:getItem, putItem, updateItem and deleteItem.")
    ] = "",
) -> None:
    """Serve the embedded Step Functions engine for any Step Functions client, until SIGTERM."""
    if (data is None) is not memory:
        raise UsageError(
            "give either --data FOLDER, to keep the history, or --memory, to forget it"
        )
    if not lambda_endpoint.startswith(("http://", "https://")):
        raise UsageError(f"--lambda-endpoint {lambda_endpoint!r} is not http://host:port")
    services = parse_services(
        {
            "sns": sns_endpoint,
            "sqs": sqs_endpoint,
            "events": events_endpoint,
            "dynamodb": dynamodb_endpoint,
        }
    )
    with scratch("engine") as forgotten:
        folder = data or forgotten
        serving = serve(
            port=port,
            data=folder,
            lambda_endpoint=lambda_endpoint.rstrip("/"),
            time_scale=time_scale,
            durability=durability.value,
            express_twice=express_twice,
            services=services,
        )
        try:
            folder.mkdir(parents=True, exist_ok=True)
            event_loop.run(serving)
        except (HistoryDamaged, OSError) as error:
            raise UsageError(str(error)) from error
        except sqlite3.OperationalError as error:
            raise UsageError(f"{folder}: {error}") from error
