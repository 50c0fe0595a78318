"""What was found in the exhibits, as one JSON document: what tables, pages and docs/exhibits.md are made of."""

from collections.abc import Mapping, Sequence
from typing import Any

from bench.exhibits.exhibit import DESCRIBED, Exhibit, Shown
from bench.exhibits.index import story
from bench.exhibits.trials import Tried
from scenarios.runs.folder import SCHEMA


def document(tried: Sequence[tuple[Exhibit, Sequence[Tried]]]) -> dict[str, Any]:
    """All of it; no times in it, so that the same code gives the same text."""
    return {
        "schema": SCHEMA,
        "exhibits": [_exhibit(exhibit, claims) for exhibit, claims in tried],
    }


def _exhibit(exhibit: Exhibit, tried: Sequence[Tried]) -> dict[str, Any]:
    return {
        "exhibit": exhibit.name,
        "title": exhibit.title,
        "source": exhibit.source,
        "story": story(exhibit),
        "correction": exhibit.correction,
        "editions": dict(exhibit.editions),
        "claims": [_claim(exhibit, one) for one in tried],
    }


def _claim(exhibit: Exhibit, tried: Tried) -> dict[str, Any]:
    claim = tried.claim
    edition = claim.about if claim.about in tried.editions else next(iter(tried.editions))
    commands = [c for proof in claim.proofs for c in proof.commands(exhibit.address(edition))]
    return {
        "claim": claim.name,
        "says": claim.says,
        "about": claim.about,
        "found_by": claim.found_by if claim.about == DESCRIBED else "",
        "twin": claim.twin,
        "holds": tried.holds,
        "missed": tried.missed,
        "commands": list(dict.fromkeys(commands)),
        "editions": {
            name: [_shown(one) for one in shown] for name, shown in tried.editions.items()
        },
    }


def _shown(one: Shown) -> dict[str, Any]:
    found: Mapping[str, Any] = {
        "style": one.style,
        "shown": one.shown,
        "clean": one.clean,
        "found": one.found,
        "witnesses": list(one.witnesses),
        "order_id": one.order_id,
        "folder": one.folder,
    }
    return {key: value for key, value in found.items() if value not in ("", [])}


def without_rows(found: Mapping[str, Any]) -> dict[str, Any]:
    """The same without ledger rows: what a document needs. Places in files and figures stay."""
    exhibits = [
        exhibit | {"claims": [_without_rows(claim) for claim in exhibit["claims"]]}
        for exhibit in found["exhibits"]
    ]
    return {**found, "exhibits": exhibits}


def _without_rows(claim: Mapping[str, Any]) -> dict[str, Any]:
    def kept(shown: Mapping[str, Any]) -> dict[str, Any]:
        texts = [row for row in shown.get("witnesses", ()) if isinstance(row, str)]
        rest = {key: value for key, value in shown.items() if key not in ("witnesses", "order_id")}
        return rest | ({"witnesses": texts} if texts else {})

    editions = {name: list(map(kept, shown)) for name, shown in claim["editions"].items()}
    return {**claim, "editions": editions}
