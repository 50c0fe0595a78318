"""Exhibits as tables, for a terminal and for documents: from what `saga exhibit run` has found."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from report.text_table import Row, TextTable

Document = Mapping[str, Any]
HOLDS, DOES_NOT = "holds", "DOES NOT HOLD"


def claims(exhibit: Document) -> TextTable:
    """The claims of one exhibit, with what was found in each edition."""
    editions = list(dict.fromkeys(e for c in exhibit["claims"] for e in c["editions"]))
    lines: list[Row] = [
        (
            claim["says"],
            claim["found_by"] or "-",
            *(in_edition(claim, edition) for edition in editions),
            HOLDS if claim["holds"] else DOES_NOT,
        )
        for claim in exhibit["claims"]
    ]
    return ("claim", "found first by", *editions, "the claim"), lines


def systems(document: Document) -> TextTable:
    """Every system, every claim, and the verdict on each edition."""
    editions = list(
        dict.fromkeys(e for x in document["exhibits"] for c in x["claims"] for e in c["editions"])
    )
    lines: list[Row] = [
        (
            exhibit["exhibit"],
            claim["says"],
            claim["found_by"] or "-",
            *(_verdict(claim, edition) for edition in editions),
            HOLDS if claim["holds"] else DOES_NOT,
        )
        for exhibit in document["exhibits"]
        for claim in exhibit["claims"]
    ]
    return ("system", "claim", "found first by", *editions, "the claim"), lines


def _verdict(claim: Document, edition: str) -> str:
    """Whether what a claim says was seen in an edition, and in which styles."""
    found = claim["editions"].get(edition)
    if found is None:
        return "-"
    styles = ", ".join(sorted({one["style"] for one in found if "style" in one}))
    where = f" in {styles}" if styles else " in its files"
    if all(one["shown"] for one in found):
        return f"shown{where}"
    if any(one["shown"] for one in found):
        return f"shown in part{where}"
    return (
        f"not shown, consistent{where}"
        if all(one["clean"] for one in found)
        else f"not shown, and not consistent{where}"
    )


def overview(document: Document) -> TextTable:
    """A line for each exhibit: how many claims hold, and how they are found."""
    lines: list[Row] = []
    for exhibit in document["exhibits"]:
        tried = exhibit["claims"]
        by = [claim["found_by"] for claim in tried if claim["found_by"]]
        how = [f"{by.count(kind)} by {kind}" for kind in dict.fromkeys(by)]
        held = sum(claim["holds"] for claim in tried)
        lines.append(
            (exhibit["exhibit"], exhibit["title"], f"{held} of {len(tried)}", ", ".join(how))
        )
    return ("exhibit", "what it is about", "claims that hold", "defects found first"), lines


def in_edition(claim: Document, edition: str) -> str:
    """What was found in one edition, in a few words."""
    found = claim["editions"].get(edition)
    if found is None:
        return ""
    parts = dict.fromkeys(
        f"{shown['style']}: {shown['found']}" if "style" in shown else shown["found"]
        for shown in found
    )
    return "; ".join(parts)


def witnesses(claim: Document, edition: str) -> Iterator[str]:
    """The rows, or the places in files, that prove what was found in an edition."""
    for one in claim["editions"].get(edition, ()):
        style = f"{one['style']}: " if "style" in one else ""
        for row in one.get("witnesses", ()):
            yield style + (row if isinstance(row, str) else in_words(row))


def in_words(row: Document) -> str:
    """A ledger row, or another one, in one line."""
    if "operation" not in row or "seq" not in row:
        return ", ".join(f"{key} {value}" for key, value in row.items())
    change = f" {row['delta']:+d}" if row["delta"] else ""
    return (
        f"{row['participant']} ledger row {row['seq']}: {row['operation']} {row['effect']}{change}, answered {row['answer']},"
        f" because of {row['caused_by'].rpartition(':')[2]} ({row['order_id']})"
    )


def missed(exhibit: Document) -> Sequence[str]:
    """The claims that do not hold, each with what was expected and what was found."""
    return [
        f"{exhibit['exhibit']}: {claim['claim']} does not hold: {claim['missed']}"
        for claim in exhibit["claims"]
        if not claim["holds"]
    ]
