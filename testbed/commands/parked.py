"""`saga dead-letters` and `saga executions`: what is parked in a run, alive or finished, and what to do with it.

The two are the same work in two styles: a dead letter of the choreography, a failed execution of the orchestration.
"""

import json
import os
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer
from rich.table import Table

from bench.results import read_run
from choreography.rabbit_connection import AMQP_VARIABLE
from kernel.errors import UsageError
from kernel.ports import Parked, SagaSystem
from report.tables import findings
from report.text_table import plain
from scenarios.judge.verdict import Exit
from scenarios.runs.backends import open_backends
from scenarios.runs.control_socket import DistantOperator
from scenarios.runs.folder import read_json, read_lines
from scenarios.runs.interrupted import INTERRUPTED, Interrupted, status_of
from scenarios.runs.repair import repair
from scenarios.styles.index import STYLES
from scenarios.styles.style import Style
from testbed import settings
from testbed.execution import run_until_done, wide
from testbed.options import AsJson, Broker, Engine

T = TypeVar("T")
Run = Annotated[Path, typer.Argument(help="Run folder of a running or finished run.")]
Every = Annotated[bool, typer.Option("--all", help="All parked sagas.")]


class _Register:
    """What one run has parked, whether it lives or not."""

    def __init__(self, folder: Path, style: str) -> None:
        self.folder, self.about = folder, read_json(folder / "run.json")
        found, status = self.about.get("style"), status_of(folder, self.about)
        if found not in STYLES:
            raise UsageError(f"{folder} is no run of a style that can be operated: {found!r}")
        if found != style:
            raise UsageError(
                f"{folder} is a run of {found}: use saga {STYLES[found].parked_command}"
            )
        self.interrupted = Interrupted.at(folder) if status == INTERRUPTED else None
        if status not in ("running", "complete", INTERRUPTED):
            raise UsageError(f"{folder} is {status}: it kept nothing to work on")
        alive = status == "running"
        self.distant = DistantOperator(self.about.get("operator", "")) if alive else None

    def parked(self) -> list[Parked]:
        if self.interrupted is not None:
            return run_until_done(_at_rest(self.interrupted, lambda system: system.parked()))
        if self.distant is not None:
            return run_until_done(self.distant.parked())
        return [Parked(**row) for row in read_lines(self.folder / "evidence/parked.jsonl")]

    def show(self, saga: Parked) -> dict[str, Any]:
        if self.interrupted is not None:
            showing = _at_rest(self.interrupted, lambda system: system.show(saga.parked_id))
            return run_until_done(showing)
        if self.distant is not None:
            return run_until_done(self.distant.show(saga.parked_id))
        source, key = STYLES[self.about["style"]].parked_evidence
        path = self.folder / f"evidence/{source}.jsonl"
        rows = read_lines(path) if path.exists() else []
        return next((row for row in rows if row[key] == saga.parked_id), asdict(saga))

    def chosen(self, which: list[str], *, every: bool) -> list[Parked]:
        """The parked sagas that are meant. Raise UsageError if one is not there."""
        parked = self.parked()
        if every:
            return parked
        if not which:
            raise UsageError("say which: ids from list, order ids, or --all")
        known = {name for saga in parked for name in (saga.parked_id, saga.order_id)}
        if missing := [name for name in which if name not in known]:
            word = STYLES[self.about["style"]].parked
            raise UsageError(f"{self.folder} has no {word} {', '.join(missing)}: see list")
        return [saga for saga in parked if {saga.parked_id, saga.order_id} & set(which)]


def operating(of: Style) -> typer.Typer:
    """The commands of one style."""
    style, word = of.name, of.parked
    app = typer.Typer(
        no_args_is_help=True,
        add_completion=False,
        rich_markup_mode=None,
        help=f"List, show and redrive what is parked in a run: every {word}.",
    )

    @app.command("list", help=f"List every {word}.")
    def list_parked(run: Run, as_json: AsJson = False) -> None:
        sagas = _Register(run, style).parked()
        if as_json:
            print(json.dumps({"schema": 1, "ok": True, "parked": [asdict(s) for s in sagas]}))
            return
        table = Table("id", "order", "stopped at", "where", "why", title=f"Every {word}")
        for saga in sagas:
            told = (saga.parked_id, saga.order_id, saga.operation or "unreadable", saga.where)
            table.add_row(*map(plain, (*told, saga.why)))
        wide().print(table if sagas else f"no {word}: nothing is parked")

    @app.command(help=f"Print everything that is known about a {word}, as JSON.")
    def show(run: Run, which: Annotated[str, typer.Argument(help="An id or an order id.")]) -> None:
        register = _Register(run, style)
        for saga in register.chosen([which], every=False):
            print(json.dumps(register.show(saga), indent=1, sort_keys=True))

    def move(
        action: str,
        run: Path,
        which: list[str],
        *,
        every: bool,
        broker: str,
        engine: str,
        as_json: bool,
    ) -> None:
        register = _Register(run, style)
        if register.interrupted is not None:
            raise UsageError(
                f"{run} was interrupted: resume it before you {action} anything: saga run --resume {run}"
            )
        chosen = register.chosen(which, every=every)
        ids = [saga.parked_id for saga in chosen]
        if register.distant is not None:
            act = register.distant.redrive if action == "redrive" else register.distant.discard
            _say(action, run_until_done(act(ids)), as_json=as_json)
            return
        if not chosen:
            raise UsageError(f"{run} has nothing parked: there is nothing to {action}")
        at = settings.choose_broker(broker)
        moving = _repaired(run, at, settings.choose_engine(engine, at), action, ids)
        sagas, code = run_until_done(moving)
        _say(action, sagas, as_json=as_json, code=code)
        if not as_json:
            for line in findings(read_run(run)):
                print(line)
        raise typer.Exit(code)

    @app.command(
        help=f"Try a {word} again from the step that stopped it, with a fresh retry budget."
    )
    def redrive(
        run: Run,
        which: Annotated[
            list[str] | None, typer.Argument(help="Ids from list, or order ids.")
        ] = None,
        every: Every = False,
        broker: Broker = "auto",
        engine: Engine = "auto",
        as_json: AsJson = False,
    ) -> None:
        move(
            "redrive", run, which or [], every=every, broker=broker, engine=engine, as_json=as_json
        )

    if of.discards:

        @app.command(help="Delete a dead letter for good: its saga stays unfinished.")
        def discard(
            run: Run,
            which: Annotated[list[str] | None, typer.Argument(help="Ids, or order ids.")] = None,
            every: Every = False,
            yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
            broker: Broker = "auto",
            engine: Engine = "auto",
            as_json: AsJson = False,
        ) -> None:
            if not yes:
                typer.confirm("Nothing will show these sagas any more. Discard them?", abort=True)
            move(
                "discard",
                run,
                which or [],
                every=every,
                broker=broker,
                engine=engine,
                as_json=as_json,
            )

    return app


async def _at_rest(run: Interrupted, ask: Callable[[SagaSystem], Awaitable[T]]) -> T:
    async with run.at_rest(os.environ.get(AMQP_VARIABLE, "")) as system:
        return await ask(system)


async def _repaired(
    run: Path, broker: str, engine: str, action: str, ids: list[str]
) -> tuple[list[Parked], Exit]:
    await settings.check_backends(broker, engine)
    async with open_backends(broker, engine) as backends:
        sagas, verdict = await repair(run, backends, action=action, parked_ids=ids)
    return sagas, verdict.exit_code()


def _say(action: str, sagas: list[Parked], *, as_json: bool, code: Exit = Exit.AS_EXPECTED) -> None:
    done = {"redrive": "sent on", "discard": "discarded"}[action]
    if as_json:
        document = {"schema": 1, "ok": code == Exit.AS_EXPECTED, action: [asdict(s) for s in sagas]}
        print(json.dumps(document))
        return
    for saga in sagas:
        print(plain(f"{saga.order_id} {saga.operation or 'unreadable'}: {done}"))
