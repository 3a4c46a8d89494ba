"""What `verify` and `reindex` do: they open what they need, call one story, and print what came of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import click

from ingest import console
from ingest.catalogue.comparing import DifferenceKind
from ingest.proving import prove_index
from ingest.reindexing import rebuild_index, settle_rebuilt
from ingest.services import open_rebuild, open_services

if TYPE_CHECKING:
    from ingest.proving import Proof

SHOWN: Final = 20
"""How many differences a person is shown; JSON has more."""
_WORDS: Final = {
    DifferenceKind.MISSING: "missing in the index",
    DifferenceKind.EXTRA: "in the index, and no dataset",
    DifferenceKind.OLDER: "older in the index",
    DifferenceKind.NEWER: "newer in the index than in the database",
    DifferenceKind.WAITING: "waiting to be indexed",
}


def verify(*, is_json: bool) -> int:
    """Compare index and database and print over what they differ; return the exit status: 1 if they do."""
    with open_services() as services, console.counting("comparing") as report:
        proof = prove_index(services, report)
    if is_json:
        console.print_json(_to_document(proof))
    elif proof.is_equal:
        click.echo(f"the index holds what the database says of all its {_to_datasets(proof.dataset_count)}")
    else:
        _print_differences(proof)
    return 0 if proof.is_equal else 1


def reindex(*, is_json: bool) -> None:
    """Build a new index from the database, put it in the place of the present one, and print how much it holds."""
    with open_rebuild() as (sessions, rebuild), console.counting("indexing") as report:
        rebuilt = rebuild_index(sessions, rebuild, report)
    with open_services() as services:
        settle_rebuilt(services)
    if is_json:
        counts = {"datasets": rebuilt.dataset_count, "written": rebuilt.written_count, "kept": rebuilt.kept_count}
        console.print_json(counts)
    else:
        kept = f", {rebuilt.kept_count:,} of them before it was interrupted" if rebuilt.kept_count else ""
        click.echo(f"{_to_datasets(rebuilt.dataset_count)} indexed anew{kept}")


def _print_differences(proof: Proof) -> None:
    click.echo(f"compared {_to_datasets(proof.dataset_count)}: the index differs from the database")
    for kind in DifferenceKind:
        if proof.counts[kind]:
            click.echo(f"{proof.counts[kind]:,} {_WORDS[kind]}")
    shown = proof.differences[:SHOWN]
    rows = [(found.dataset_id, _WORDS[found.kind], found.revision, found.held_revision) for found in shown]
    title = "" if len(shown) == proof.counts.total() else f"the first {len(shown)}"
    console.print_table(title, ("dataset", "difference", "revision", "in the index"), rows)
    if set(proof.counts) == {DifferenceKind.WAITING}:
        click.echo("'nxcat crawl' and 'nxcat serve' index what waits")
    else:
        click.echo("'nxcat reindex' builds a new index from the database")


def _to_document(proof: Proof) -> dict[str, Any]:
    return {
        "is_equal": proof.is_equal,
        "dataset_count": proof.dataset_count,
        "counts": {kind: proof.counts[kind] for kind in DifferenceKind},
        "differences": proof.differences,
    }


def _to_datasets(count: int) -> str:
    return f"{count:,} dataset{'s' if count != 1 else ''}"
