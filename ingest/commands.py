"""What each command does: it opens the services, calls one story, and prints what came of it."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict
from pathlib import Path
from stat import S_ISREG
from typing import TYPE_CHECKING, Any

import click

from ingest import console
from ingest.catalogue.database import run_transaction
from ingest.catalogue.errors import CatalogueError
from ingest.catalogue.masters import announce, claim_one, retry_quarantined, to_claimant
from ingest.catalogue.model import MasterState, ReleasePolicy, Root
from ingest.catalogue.model.base import utc_now
from ingest.catalogue.queue import Task
from ingest.catalogue.releases import apply_root_policy
from ingest.catalogue.roots import RootSettingError, RootSettings, get_root, normalise, upsert_root
from ingest.drain import drain, ingest_claimed, make_reader, settle_index
from ingest.pipeline import Outcome, Services
from ingest.rounds import crawl_and_note
from ingest.services import open_services, open_workers

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from ingest.catalogue.masters import Claim
    from ingest.crawl import CrawlReport

FURTHEST_YEARS = 1000
"""Calendars of computers end; no embargo lasts that long."""


class NotAFileError(CatalogueError):
    """What shall be ingested is a folder, or nothing that one reads."""

    def __init__(self, path: Path) -> None:
        self.path = path
        super().__init__(f"{path} is no file: name the master in it, or crawl the folder")


def crawl(paths: tuple[Path, ...], options: dict[str, Any], *, is_json: bool) -> None:
    """Crawl the roots, read what is due below them, and print what came of it."""
    settings = to_root_settings(options)
    counts: Counter[str] = Counter()
    with open_services() as services, open_workers() as workers:
        with console.reporting(is_json=is_json) as report:
            roots = [open_root(services, path, settings) for path in paths]
            seen = [crawl_and_note(services, root, report.folder) for root in roots]
            # We read ourselves as well: there need not be any worker.
            workers.nudge(Task.INGEST)

            def count(outcome: Outcome) -> None:
                counts[console.to_word(outcome.state)] += 1
                report.outcome(outcome)

            drain(services, count, [root.id for root in roots])
        print_crawl(roots, seen, counts, is_json=is_json)


def to_root_settings(options: dict[str, Any]) -> RootSettings:
    """Return what the options of the command line say about a root."""
    release, metadata = options["release"], options["embargoed_metadata"]
    policy, years = release, None
    if release is not None and release not in (ReleasePolicy.IMMEDIATELY, ReleasePolicy.NEVER):
        if not release.isdecimal() or int(release) > FURTHEST_YEARS:
            raise RootSettingError("release", release, "say immediately, never, or a number of years")
        policy, years = ReleasePolicy.AFTER_YEARS, int(release)
    return RootSettings(
        facility=options["facility"],
        rules=to_rule_choice(options["rules"]),
        timezone=options["timezone"],
        release_policy=policy,
        release_years=years,
        is_embargoed_metadata_public=None if metadata is None else metadata == "public",
        is_secret=options["secret"],
        include=list(options["include"]) or None,
        exclude=list(options["exclude"]) or None,
    )


def to_rule_choice(rules: str | None) -> str | None:
    """Return the name of rules as it is, and the path of a rule file so that it holds from every folder."""
    return str(normalise(Path(rules))) if rules and rules.endswith(".toml") else rules


def open_root(services: Services, path: Path, settings: RootSettings) -> Root:
    """Make the folder a root, or change what is said about it, and return it."""
    if settings.rules is not None:
        services.rulebook.get(settings.rules)

    def change(session: Session) -> Root:
        root, policy_has_changed = upsert_root(session, path, settings)
        if policy_has_changed:
            apply_root_policy(session, root)
        return root

    return run_transaction(services.write_sessions, change)


def print_crawl(roots: list[Root], seen: list[CrawlReport], counts: Counter[str], *, is_json: bool) -> None:
    """Print what the walk saw and what became of the masters that were read."""
    if is_json:
        walked = [{"root": root.path, **asdict(report)} for root, report in zip(roots, seen, strict=True)]
        console.print_json({"roots": walked, "masters": counts})
        return
    for root, report in zip(roots, seen, strict=True):
        click.echo(
            f"{root.path}: {report.new} new, {report.changed} changed, {report.unchanged} unchanged, "
            f"{report.vanished} gone, in {report.folders + report.passed_by} folders"
        )
        for folder in report.unreadable:
            click.echo(f"out of reach: {console.to_plain_text(folder)}", err=True)
    still_written = counts[console.to_word(MasterState.SETTLING)] + sum(report.waiting for report in seen)
    if still_written:
        click.echo(f"{still_written} may still be written: read once they stood still (README: NXCAT_SETTLE_SECONDS)")
    click.echo("read: " + (", ".join(f"{count} {word}" for word, count in sorted(counts.items())) or "nothing was due"))


def ingest(files: tuple[Path, ...], *, is_json: bool) -> int:
    """Read these masters now; return the exit status: 1 if one of them became no dataset and no side file."""
    outcomes = []
    with open_services() as services, make_reader(services) as reader:
        for file in files:
            outcome = _ingest_one(services, reader, file)
            outcomes.append(outcome)
            if not is_json:
                click.echo(_to_line(outcome))
        settle_index(services)
    if is_json:
        console.print_json(outcomes)
    good = (MasterState.INGESTED, MasterState.INCOMPLETE, MasterState.SIDE_FILE)
    return 0 if all(outcome.state in good for outcome in outcomes) else 1


def _ingest_one(services: Services, reader: Any, file: Path) -> Outcome:
    path = normalise(file)
    stat = path.stat()
    if not S_ISREG(stat.st_mode):
        raise NotAFileError(path)
    now = utc_now()

    def take(session: Session) -> Claim | None:
        root = get_root(session, path)
        master_file_id = announce(session, root.id, str(path), stat.st_size, stat.st_mtime_ns, now)
        return claim_one(session, master_file_id, to_claimant(), now)

    claim = run_transaction(services.write_sessions, take)
    outcome = ingest_claimed(services, reader, claim) if claim else None
    return outcome or Outcome(str(path), MasterState.READY, "another worker has it in hand")


def _to_line(outcome: Outcome) -> str:
    number = f" as dataset {outcome.dataset_id}" if outcome.dataset_id else ""
    return f"{console.to_word(outcome.state)}{number}: {console.to_line(outcome.path, outcome.reason)}"


def inspect(file: Path, rules: str | None, timezone: str, *, is_json: bool) -> None:
    """Print what the file is and what would be stored of it."""
    from ingest.inspecting import inspect_file

    found = inspect_file(file, rules, timezone)
    if is_json:
        console.print_json(found)
    else:
        console.print_inspection(found)


def retry_quarantine(files: tuple[Path, ...], *, is_json: bool) -> None:
    """Try files in quarantine again, all or those given, and print where they went."""
    paths = [str(normalise(file)) for file in files] or None
    outcomes: list[Outcome] = []
    with open_services() as services, open_workers() as workers:
        run_transaction(services.write_sessions, lambda session: retry_quarantined(session, utc_now(), paths))
        workers.nudge(Task.INGEST)
        with console.reporting(is_json=is_json) as report:

            def note(outcome: Outcome) -> None:
                outcomes.append(outcome)
                report.outcome(outcome)

            drain(services, note)
    if is_json:
        console.print_json(outcomes)
    elif not outcomes:
        click.echo("nothing to retry")


def migrate() -> None:
    """Bring the database to this release's schema."""
    from ingest.catalogue.schema import SCHEMA_VERSION

    with open_services():
        click.echo(f"the database is at schema {SCHEMA_VERSION}")
