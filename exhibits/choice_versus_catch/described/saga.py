"""The same saga with the published state machine and the published release."""

from dataclasses import replace
from pathlib import Path

from exhibits.choice_versus_catch.corrected.saga import PARTICIPANTS
from exhibits.choice_versus_catch.corrected.saga import SAGA as CORRECTED
from exhibits.choice_versus_catch.described import inventory

SAGA = replace(
    CORRECTED,
    name="choice_versus_catch.described",
    participants={**PARTICIPANTS, "inventory": inventory},
    state_machines={"inventory-first": Path(__file__).with_name("saga.asl.json")},
)
