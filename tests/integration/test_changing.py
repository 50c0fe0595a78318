"""What a change of the flow touches: four real changes as saga folders, and what is computed from them."""

import json

import pytest

from bench.changes.cost import touched
from bench.changes.folders import changes, described, make
from kernel.errors import UsageError
from report.decision.figures import measured
from testbed.change_docs import counted
from testbed.commands.change import cost_of
from testbed.commands.new import TEMPLATE


def by_style(name):
    return {one.style: one for one in cost_of(name)}


@pytest.mark.parametrize("name", changes())
def test_every_change_makes_a_saga_that_passes_every_check(saga, tmp_path, name):
    make(name, template=TEMPLATE, into=tmp_path / f"{name}_checked")
    done = saga("check", f"./{name}_checked")
    assert (done.returncode, "nothing to mend" in done.stdout) == (0, True), done.stdout


@pytest.mark.timeout(120)
@pytest.mark.parametrize(
    "name",
    [
        pytest.param(n, marks=pytest.mark.slow if n == "swap_steps" else pytest.mark.long)
        for n in changes()
    ],
)
def test_every_changed_saga_is_clean_under_exploration(saga, tmp_path, name):
    make(name, template=TEMPLATE, into=tmp_path / f"{name}_explored")
    done = saga("explore", "--saga", f"./{name}_explored", "--runs", "300")
    assert done.returncode == 0, done.stdout


def test_a_new_step_changes_its_neighbours_in_choreography_and_the_page_in_orchestration():
    found = by_style("add_step")
    assert set(found["choreography"].services) == {"store", "courier", "till"}
    assert set(found["orchestration"].services) == {"courier"}
    assert found["orchestration"].redeploy == ("courier", "conductor")
    assert "ItemHeld moves from till to courier" in found["choreography"].pause
    assert found["orchestration"].pause == ""
    assert "saga.asl.json" not in found["choreography"].files
    assert "reactions.py" not in found["orchestration"].files


def test_swapping_steps_is_a_matter_of_the_page_alone_in_orchestration():
    found = by_style("swap_steps")
    assert set(found["choreography"].services) == {"desk", "courier", "store", "till"}
    assert found["orchestration"].services == ()
    assert found["orchestration"].redeploy == ("conductor",)


def test_another_payload_is_for_every_service_in_both_styles_and_needs_a_pause():
    for one in cost_of("rename_field"):
        assert one.services == ("desk", "store", "till")
        assert "amount_cents, price_cents cannot be read" in one.pause


def test_who_hears_a_new_event_is_deployed_before_who_announces_it():
    order = by_style("insert_check")["choreography"].redeploy
    assert order.index("till") < order.index("fraud")
    assert order.index("store") < order.index("fraud")


def test_nothing_changed_touches_nothing(tmp_path):
    for name in ("unchanged_before", "unchanged_after"):
        make("", template=TEMPLATE, into=tmp_path / name)
    for one in touched(tmp_path / "unchanged_before", tmp_path / "unchanged_after"):
        assert (one.services, one.files, one.lines, one.redeploy, one.pause) == (
            (),
            (),
            (0, 0),
            (),
            "",
        )


def test_the_figure_that_decides_is_the_one_that_is_computed():
    found = {name: cost_of(name) for name in changes()}
    figure = measured()["changing"]
    for style, (number, text) in (
        ("choreography", figure.choreography),
        ("orchestration", figure.orchestration),
    ):
        assert counted(found, style) == text
        assert (
            sum(bool(t.pause) for each in found.values() for t in each if t.style == style)
            == number
        )


def test_the_command_names_the_changes_and_makes_their_folders(saga, tmp_path):
    done = saga("change", "add_steps")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert (
        "there is no change 'add_steps', did you mean 'add_step'?: changes are add_step, "
        in done.stderr
    )
    shown = json.loads(saga("change", "rename_field", "--make", tmp_path / "both", "--json").stdout)
    assert [one["style"] for one in shown["changes"]["rename_field"]] == [
        "choreography",
        "orchestration",
    ]
    texts = [
        (tmp_path / f"both/{when}_rename_field/till.py").read_text() for when in ("before", "after")
    ]
    assert [text.count("order.amount_cents") for text in texts] == [0, 1]


def test_an_edit_that_does_not_fit_is_refused(tmp_path):
    template = make("", template=TEMPLATE, into=tmp_path / "template")
    path = template / described("rename_field")["edit"][0]["file"]
    path.write_text(path.read_text().replace("price_cents", "cost_cents"))
    with pytest.raises(UsageError, match=r"change rename_field: .* stands 0 times in messages\.py"):
        make("rename_field", template=template, into=tmp_path / "broken")
