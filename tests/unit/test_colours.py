"""Charts can be read by people who tell fewer colours apart."""

import itertools

import numpy as np
import pytest

from report.charts import COLOUR
from report.flow import STATES, WHITE
from report.gantt import PART_COLOUR

DEFICIENCIES = {
    "none": np.eye(3),
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "tritanopia": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
}  # fmt: skip
"""What is seen of linear RGB. Source: Machado, Oliveira and Fernandes, 2009, severity 1."""
LEAST = 15
"""Distance in CIELAB; about 2 can just be told apart side by side. What is white is told by its frame."""


def _linear(colour):
    value = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    return np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)


def _lab(linear):
    to_xyz = [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
    xyz = np.array(to_xyz) @ np.clip(linear, 0, 1) / [0.95047, 1, 1.08883]
    x, y, z = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


@pytest.mark.parametrize("deficiency", DEFICIENCIES)
@pytest.mark.parametrize(
    "colours", [list(COLOUR.values()), [c for c in STATES if c != WHITE], list(PART_COLOUR.values())], ids=["outcomes", "flow", "parts"]
)  # fmt: skip
def test_the_colours_of_a_chart_can_be_told_apart(colours, deficiency):
    seen = [_lab(np.array(DEFICIENCIES[deficiency]) @ _linear(colour)) for colour in colours]
    assert min(np.linalg.norm(a - b) for a, b in itertools.combinations(seen, 2)) > LEAST
