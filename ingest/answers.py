"""The commands that only look: they ask the catalogue as its operator, who sees all, and print the answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from ingest import console
from ingest.catalogue.browsing import get_dataset, list_files, list_parameters, list_scans
from ingest.catalogue.errors import InvalidQueryError
from ingest.catalogue.finding import SearchQuestion, search_datasets
from ingest.catalogue.linked_files import get_linked_files
from ingest.catalogue.model.base import utc_now
from ingest.catalogue.paging import PageRequest
from ingest.catalogue.search import Noun, Sort
from ingest.catalogue.status import get_status, list_quarantined
from ingest.catalogue.visibility import OPERATOR
from ingest.services import open_services

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sqlalchemy.orm import Session

    from ingest.catalogue.paging import Page
    from ingest.catalogue.views import (
        BacklogView,
        DatasetPage,
        DatasetView,
        FileView,
        ParameterView,
        QuarantinedView,
        ScanView,
        TechniqueSourceView,
    )

SHOWN_FILES = 20
"""How many of a dataset's files a person is shown; JSON has them all."""
PAGE = 1000


def search(text: str, options: dict[str, Any], *, is_json: bool) -> None:
    """Print the datasets that match, and the facets that were asked for."""
    question = to_question(text, options)
    with open_services() as services, services.read_sessions() as session:
        page = search_datasets(session, services.index, OPERATOR, utc_now(), question)
    if is_json:
        console.print_json(_to_document(page))
    else:
        print_page(page)


def to_question(text: str, options: dict[str, Any]) -> SearchQuestion:
    """Return what is asked; raises InvalidQueryError for a facet or an order that does not exist."""
    return SearchQuestion(
        text=text,
        facets=tuple(_choose("facet", name, Noun) for name in options.get("facets", ())),
        sort=_choose("sort", options["sort"], Sort) if options.get("sort") else None,
        limit=options.get("limit", 20),
        cursor=options.get("cursor"),
    )


def print_page(page: DatasetPage) -> None:
    """Print hits and facets for a person."""
    rows = [
        (
            hit.dataset.id,
            hit.dataset.name,
            ", ".join(hit.dataset.instruments),
            hit.dataset.investigation.name,
            hit.dataset.sample.name if hit.dataset.sample else None,
            hit.dataset.title,
            f"{hit.dataset.start_date:%Y-%m-%d}" if hit.dataset.start_date else None,
        )
        for hit in page.hits
    ]
    shown = f"{len(rows)} of {page.total}" if page.total > len(rows) else str(page.total)
    click.echo(f"{shown} dataset{'s' if page.total != 1 else ''}")
    if rows:
        console.print_table("", ("id", "dataset", "instrument", "investigation", "sample", "title", "started"), rows)
    for noun, facet in page.facets.items():
        counts = ", ".join(f"{value.value} {value.count}" for value in facet.values)
        click.echo(f"{noun}: {counts}{f', others {facet.others}' if facet.others else ''}")
    if page.next_cursor:
        click.echo(f"more: --cursor {page.next_cursor}")


def show(dataset_id: int, *, is_json: bool) -> None:
    """Print a dataset with its scans, parameters and files."""
    with open_services() as services, services.read_sessions() as session:
        dataset = get_dataset(session, OPERATOR, utc_now(), dataset_id)
        scans = list(_all(session, list_scans, dataset_id))
        parameters = list(_all(session, list_parameters, dataset_id))
        files: list[FileView] = list(_all(session, list_files, dataset_id))
        linked = get_linked_files(session, OPERATOR, utc_now(), dataset_id)
    if is_json:
        console.print_json(
            {"dataset": dataset, "scans": scans, "parameters": parameters, "files": files, "linked_files": linked}
        )
    else:
        _print_dataset(dataset, scans, parameters, files)
        console.print_linked(linked)


def status(*, is_json: bool) -> None:
    """Print the catalogue in figures."""
    with open_services() as services, services.read_sessions() as session:
        found = get_status(session, utc_now())
    if is_json:
        console.print_json(found)
        return
    about = "about " if found.is_estimated else ""
    click.echo(f"{about}{found.dataset_count} datasets, {found.unindexed_count} of them not indexed yet")
    click.echo(f"{found.waiting_count} files are to be looked at, now or later")
    _print_backlog(found.backlog)
    console.print_table(
        "\nmaster files", ("state", "files"), [(console.to_word(s), n) for s, n in found.masters.items()]
    )
    if found.quarantine:
        console.print_table("\nquarantine", ("reason", "files"), list(found.quarantine.items()))
    rows = [
        (root.path, root.facility, root.rules or "recognised", root.timezone, _to_release(root), root.crawled_at)
        for root in found.roots
    ]
    console.print_table("\nroots", ("folder", "facility", "rules", "zone", "release", "crawled"), rows)


def _print_backlog(backlog: BacklogView) -> None:
    """Print what waits and since when, where anything does, and how long it took lately."""
    if backlog.oldest_due_at is not None:
        click.echo(f"the oldest is due since {backlog.oldest_due_at:%Y-%m-%d %H:%M:%S} UTC")
    for state, count in backlog.notices.items():
        click.echo(f"{count} notices are {state}")
    if backlog.oldest_unindexed_at is not None:
        click.echo(
            f"the index is {backlog.revisions_behind} revisions behind, since "
            f"{backlog.oldest_unindexed_at:%Y-%m-%d %H:%M:%S} UTC"
        )
    if backlog.searchable.median_seconds is not None and backlog.searchable.p95_seconds is not None:
        click.echo(
            f"from closed to found in the last hour: median {backlog.searchable.median_seconds:.1f} s, "
            f"95 % within {backlog.searchable.p95_seconds:.1f} s"
        )
    rows = [(console.to_word(w.master_state), w.instrument, w.due, w.in_hand, w.later) for w in backlog.waiting]
    if rows:
        console.print_table("\nwaiting", ("state", "instrument", "due", "in hand", "later"), rows)


def list_quarantine(*, is_json: bool) -> None:
    """Print the files in quarantine, with the reason of each."""
    with open_services() as services, services.read_sessions() as session:
        cursor: str | None = None
        found: list[QuarantinedView] = []
        while True:
            page = list_quarantined(session, PageRequest(limit=PAGE, cursor=cursor))
            found += page.items
            cursor = page.next_cursor
            if cursor is None:
                break
    if is_json:
        console.print_json(found)
    elif found:
        console.print_table("", ("file", "reason", "failures"), [(q.path, q.reason, q.failures) for q in found])
    else:
        click.echo("nothing is in quarantine")


def _choose(name: str, text: str, kind: Any) -> Any:
    try:
        return kind(text)
    except ValueError:
        raise InvalidQueryError(f"no {name} {text!r}: there are {', '.join(kind)}") from None


def _to_document(page: DatasetPage) -> dict[str, Any]:
    return {
        "total": page.total,
        "datasets": [hit.dataset for hit in page.hits],
        "facets": page.facets,
        "next_cursor": page.next_cursor,
    }


def _all(session: Session, list_page: Callable[..., Page[Any]], dataset_id: int) -> Iterator[Any]:
    cursor = None
    while True:
        page = list_page(session, OPERATOR, utc_now(), dataset_id, PageRequest(limit=PAGE, cursor=cursor))
        yield from page.items
        cursor = page.next_cursor
        if cursor is None:
            return


def _print_dataset(
    dataset: DatasetView, scans: list[ScanView], parameters: list[ParameterView], files: list[FileView]
) -> None:
    click.echo(f"dataset {dataset.id}: {dataset.name}")
    facts = {
        "investigation": dataset.investigation.name,
        "facility": dataset.facility,
        "instrument": ", ".join(dataset.instruments),
        "sample": dataset.sample.name if dataset.sample else None,
        "technique": ", ".join(map(_to_technique, dataset.technique_sources)),
        "started": dataset.start_date,
        "ended": dataset.end_date,
        "complete": "yes" if dataset.is_complete else f"no: {dataset.master_reason or dataset.master_state}",
        "visibility": dataset.visibility,
        "opens": dataset.release_date,
        "master": dataset.master_path,
        "copy of": dataset.copy_of_id,
        "remarks": "; ".join(dataset.flags),
    }
    console.print_table("", ("", ""), [(name, value) for name, value in facts.items() if value])
    console.print_scans(scans)
    values = [(p.name, console.to_amount(p), p.original_value, p.origin, p.source_path) for p in parameters]
    if values:
        console.print_table("\nparameters", ("name", "value", "in the file", "how", "HDF5 path"), values)
    names = [(file.name, file.file_size, "gone" if file.is_vanished else "") for file in files[:SHOWN_FILES]]
    console.print_table(f"\n{len(files)} files", ("name", "bytes", ""), names)


def _to_technique(technique: TechniqueSourceView) -> str:
    return f"{technique.name} (inferred)" if technique.origin == "inferred" else technique.name


def _to_release(root: Any) -> str:
    years = f"{root.release_years} years after the visit" if root.release_policy == "years" else root.release_policy
    return f"{years}{', secret' if root.is_secret else ''}"
