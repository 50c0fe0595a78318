"""One order in six pictures, drawn from a run."""

import pytest

from bench.arms import named
from bench.results import read_run
from kernel.guards import Guards
from report.cartoon import PANELS, cartoon, six
from report.replay import steps
from report.saga_in_run import SagaInRun


async def test_a_lost_reply_without_an_inbox_is_told_in_six_pictures(run_scenario):
    result = await run_scenario("lost_reply", "choreography", guards=Guards.parse("-inbox"))
    (row,) = named([read_run(result.folder)])
    saga = SagaInRun(row, "order-00001")
    told = six(steps(saga))
    assert len(told) == PANELS
    assert [step.at_ms for step in told] == sorted(step.at_ms for step in told)
    nodes = [(step.mark, step.node) for step in told]
    fault = nodes.index(("fault", "ChargePayment"))
    assert nodes[fault - 1] == nodes[fault + 1] == ("done", "ChargePayment")
    figure = cartoon(saga)
    assert (
        figure.get_suptitle() == "order-00001, lost_reply, choreography, without inbox: duplicated"
    )
    words = [text.get_text() for axes in figure.axes for text in axes.texts]
    assert [word for word in words if word.isdecimal()] == [str(n) for n in range(1, PANELS + 1)]
    assert "answer.lost at ChargePayment" in words


@pytest.mark.slow
async def test_an_order_without_a_fault_has_its_beginning_and_its_end(run_scenario):
    result = await run_scenario("happy_path", "orchestration")
    saga = SagaInRun(read_run(result.folder), "order-00000")
    told = six(steps(saga))
    assert len(told) == PANELS
    assert (told[0].title, told[-1].title) == ("orders", "asks, sees CONFIRMED")


@pytest.mark.slow
async def test_the_command_draws_into_the_run_folder(saga, run_scenario):
    result = await run_scenario("lost_reply", "orchestration")
    done = saga("trace", "order-00001", "--run", result.folder, "--cartoon")
    assert done.returncode == 0
    assert (result.folder / "cartoon-order-00001.svg").exists()
    assert done.stdout.strip().endswith("cartoon-order-00001.svg")
