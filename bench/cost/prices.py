"""Prices as data: read from prices.toml, overridden by a file or by single values of the user's."""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from kernel.errors import UsageError, nearest

FILE = Path(__file__).with_name("prices.toml")
_KEYS = ("unit", "usd", "low", "high", "region", "source", "date")


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """One price in US dollars per unit, from `low` to `high`; both None = there is none, and it is asked for."""

    name: str
    unit: str
    low: float | None = None
    high: float | None = None
    region: str = ""
    source: str = ""
    date: str = ""

    def where(self) -> str:
        """Region, source and date, or how to give the price."""
        if self.low is None:
            return f"no price: give --price {self.name}=USD or --price {self.name}=LOW..HIGH"
        return ", ".join(part for part in (self.region, self.source, self.date) if part)

    def figure(self) -> str:
        """The price as a text, "-" = there is none."""
        if self.low is None or self.high is None:
            return "-"
        low, high = (f"{usd:.10f}".rstrip("0").rstrip(".") for usd in (self.low, self.high))
        return low if low == high else f"{low} to {high}"


def prices(files: Sequence[Path] = (), own: Sequence[str] = ()) -> dict[str, Price]:
    """Name -> price. `files`: TOML files that override, in this order; `own`: NAME=USD or NAME=LOW..HIGH, above all.

    Raise UsageError for a price that there is not, one without a source or date, or a figure that is no amount.
    """
    found = _read(FILE, {})
    for path in files:
        found |= _read(path, found)
    for text in own:
        name, _, figure = text.partition("=")
        if name not in found:
            raise UsageError(_unknown(f"--price {text}", name, found))
        low, _, high = figure.partition("..")
        low_usd, high_usd = (_amount(part, f"--price {text}") for part in (low, high or low))
        if low_usd > high_usd:
            raise UsageError(f"--price {text}: the first figure is the lower one")
        found[name] = replace(
            found[name], low=low_usd, high=high_usd, region="", source="given by you", date=""
        )
    return found


def _read(path: Path, known: Mapping[str, Price]) -> dict[str, Price]:
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"cannot read {path} ({error.strerror})") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} is no TOML: {error}") from error
    return {name: _price(path, name, row, known) for name, row in document.items()}


def _price(path: Path, name: str, row: Any, known: Mapping[str, Price]) -> Price:
    where = f'{path}, ["{name}"]'
    if known and name not in known:
        raise UsageError(_unknown(where, name, known))
    if not isinstance(row, dict) or (unknown := [key for key in row if key not in _KEYS]):
        what = f"unknown key {unknown[0]!r}" if isinstance(row, dict) else "is no table"
        raise UsageError(f"{where}: {what}: keys are {', '.join(_KEYS)}")
    unit = str(row.get("unit") or (known[name].unit if name in known else ""))
    if not {"usd", "low", "high"} & set(row):
        return Price(name=name, unit=unit)
    if missing := [key for key in ("region", "source", "date") if not row.get(key)]:
        raise UsageError(
            f"{where}: a price needs {missing[0]}: write region, source and date (a year or YYYY-MM-DD)"
        )
    low = _amount(row.get("low", row.get("usd")), where)
    high = _amount(row.get("high", row.get("usd")), where)
    if low > high:
        raise UsageError(f"{where}: low is above high")
    return Price(
        name=name,
        unit=unit,
        low=low,
        high=high,
        region=str(row["region"]),
        source=str(row["source"]),
        date=str(row["date"]),
    )


def _amount(value: Any, where: str) -> float:
    try:
        amount = float(value)
    except (TypeError, ValueError):
        amount = -1.0
    if not 0 <= amount < 1e9:
        raise UsageError(f"{where}: {value!r} is no price: write US dollars, such as 0.000025")
    return amount


def _unknown(where: str, name: str, known: Mapping[str, Price]) -> str:
    return (
        f"{where}: there is no price {name!r}{nearest(name, known)}: prices are {', '.join(known)}"
    )
