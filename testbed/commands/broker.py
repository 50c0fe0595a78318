"""`saga broker`: what runs have left on a shared RabbitMQ server, and how to get rid of it."""

import json
import shlex
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from aio_pika.abc import AbstractConnection
from rich.table import Table

from choreography.rabbit_connection import AMQP_VARIABLE, LOST, check_server, connect
from choreography.rabbit_topology import PERMISSIONS, Found, find, sweep
from kernel.errors import UsageError
from kernel.loading import DEFAULT, load_saga
from report.text_table import plain
from scenarios.runs.folder import read_json
from testbed import settings
from testbed.execution import run_until_done, wide
from testbed.options import AsJson

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    add_completion=False,
    help="List and delete queues that runs left on your own RabbitMQ server.",
)
Prefix = Annotated[
    str, typer.Option(help="Prefix of the queue names; that of a run is saga. plus its run_id.")
]
Run = Annotated[Path | None, typer.Argument(help="Run folder, instead of --prefix.")]
Server = Annotated[str, typer.Option("--broker", help=f"amqp://...; default: {AMQP_VARIABLE}.")]
Look = Callable[[AbstractConnection, str, tuple[str, ...]], Awaitable[list[Found]]]


@app.command("list")
def list_queues(
    run: Run = None, prefix: Prefix = "", broker: Server = "auto", as_json: AsJson = False
) -> None:
    """List the queues of one prefix and the number of messages in them."""
    _say(_looked(find, run, prefix, broker), "on the server", as_json=as_json)


@app.command("sweep")
def sweep_queues(
    run: Run = None, prefix: Prefix = "", broker: Server = "auto", as_json: AsJson = False
) -> None:
    """Delete every queue of one prefix with its messages, unless it still has consumers."""
    _say(_looked(sweep, run, prefix, broker), "deleted", as_json=as_json)


@app.command("permissions")
def permissions(
    user: Annotated[str, typer.Argument(help="Name of the user.")] = "saga",
    vhost: Annotated[str, typer.Option(help="Virtual host of the runs.")] = "/",
) -> None:
    """Print the commands that make a user who may do what runs need on your server, and nothing else."""
    wanted = " ".join(shlex.quote(pattern) for pattern in PERMISSIONS)
    print(f"rabbitmqctl add_user {shlex.quote(user)}  # asks for a password")
    print(f"rabbitmqctl set_permissions -p {shlex.quote(vhost)} {shlex.quote(user)} {wanted}")


def _looked(look: Look, run: Path | None, prefix: str, broker: str) -> list[Found]:
    if (run is None) is (not prefix):
        raise UsageError("give either a run folder or --prefix")
    url = settings.choose_broker(broker)
    if not url.startswith("amqp"):
        raise UsageError(
            f"which server? Set {AMQP_VARIABLE} or give --broker amqp://host:port/ (a private node"
            " takes its queues with it when it ends)"
        )
    services = load_saga(DEFAULT).services
    if run is not None:
        about = read_json(run / "run.json")
        prefix = f"saga.{about['run_id']}"
        services = load_saga(about.get("saga", DEFAULT)).services

    async def looked() -> list[Found]:
        await check_server(url)
        try:
            connection = await connect(url)
            try:
                return await look(connection, prefix, services)
            finally:
                await connection.close()
        except ValueError as error:
            raise UsageError(f"--prefix {prefix!r} cannot be a queue's name: {error}") from error
        except LOST as error:
            raise UsageError(f"lost the connection to the server: {error}") from error

    return run_until_done(looked())


def _say(found: list[Found], what: str, *, as_json: bool) -> None:
    if as_json:
        print(json.dumps({"schema": 1, "ok": True, "queues": [asdict(queue) for queue in found]}))
        return
    table = Table("queue", "messages", "consumers", title=f"Queues {what}", title_justify="left")
    for queue in found:
        table.add_row(plain(queue.name), str(queue.messages), str(queue.consumers))
    wide().print(table if found else f"no queue {what}")
