"""The command `remap` in words."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import click

from ingest import console
from ingest.remapping import Remap
from ingest.services import open_services

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ingest.pipeline import Outcome

LONGEST_CELL = 60
"""Characters of a value: enough to tell one from another."""


def remap(*, is_dry: bool, is_reread: bool, is_json: bool) -> int:
    """Map anew what other rules have mapped, and print what changed; return the exit status: 1 if a dataset failed."""
    read_again: Counter[str] = Counter()
    with open_services() as services:
        run = Remap(services)
        with console.counting("mapping") as note:
            report = run.run(is_dry=is_dry, note=note)
        if is_reread and not is_dry:
            with console.reporting(is_json=is_json) as progress:

                def count(outcome: Outcome) -> None:
                    read_again[console.to_word(outcome.state)] += 1
                    progress.outcome(outcome)

                run.read_again(count)
    document = {"dry_run": is_dry, **report.to_document(), "read_again": dict(read_again)}
    if is_json:
        console.print_json(document)
    else:
        _print(document, is_reread=is_reread and not is_dry)
    return 1 if document["failed"] else 0


def _print(document: dict[str, Any], *, is_reread: bool) -> None:
    if not document["looked_at"] and not document["side_files"]:
        click.echo("nothing to map: every record was mapped by the rules at hand")
    else:
        would = "would be " if document["dry_run"] else ""
        click.echo(
            f"{document['looked_at']} datasets looked at: {document['changed']} {would}changed, "
            f"{document['unchanged']} unchanged, {document['failed']} could not be mapped"
        )
    rows = [row for changes in document["fields"] for row in _to_rows(changes)]
    if rows:
        console.print_table("", ("field", "of", "gained", "lost", "changed", "for example"), rows)
    for failure in document["failures"]:
        _print_cases(f"could not be mapped: {failure['reason']}", failure)
    _print_cases("would be side files now, and stay as they are", document["would_be_side_files"])
    _print_cases("complete by these rules: looked at again by the next crawl", document["due"])
    lacking = document["lacking"]
    if is_reread:
        told = ", ".join(f"{count} {word}" for word, count in sorted(document["read_again"].items()))
        click.echo(f"read again: {told or 'nothing'}")
    elif lacking["count"]:
        _print_cases("records may lack what the rules ask for: nxcat remap --reread reads the files again", lacking)
        _print_lacks(lacking["lacks"])
    if document["passed_over"]:
        click.echo(f"{document['passed_over']} were in the hand of a worker or read meanwhile: call remap once more")
    for target in document["never_kept"]:
        click.echo(f"never found: {target}")


def _print_cases(what: str, cases: dict[str, Any]) -> None:
    if cases["count"]:
        click.echo(f"{cases['count']} {what}")
        for path in cases["paths"]:
            click.echo(f"  {console.to_plain_text(path)}")
        if cases["count"] > len(cases["paths"]):
            click.echo("  ...")


def _print_lacks(lacks: dict[str, int]) -> None:
    for what, count in lacks.items():
        click.echo(f"  lacks {what}: {count}")


def _to_rows(row: dict[str, Any]) -> Iterator[tuple[object, ...]]:
    counts: tuple[object, ...] = (row["name"], row["scope"], row["gained"], row["lost"], row["changed"])
    for example in row["examples"]:
        yield *counts, _to_example(example)
        counts = ("",) * len(counts)


def _to_example(example: dict[str, Any]) -> str:
    before, after = example["before"], example["after"]
    # What reads the same differs in what else is kept of it.
    is_alike = before and after and (before["value"], before["path"]) == (after["value"], after["path"])
    change = " -> ".join(_to_said(said, with_remark=is_alike) for said in (before, after))
    return f"dataset {example['dataset_id']}: {change}"


def _to_said(said: dict[str, Any] | None, *, with_remark: bool) -> str:
    if said is None:
        return "nothing"
    parts = [said["value"], f"({said['path']})" if said["path"] else "", f"[{said['remark']}]" if with_remark else ""]
    return " ".join(part if len(part) <= LONGEST_CELL else f"{part[:LONGEST_CELL]}..." for part in parts if part)
