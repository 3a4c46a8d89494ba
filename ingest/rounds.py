"""The rounds of the workers: of all roots, the one whose last crawl is longest ago is crawled, by one of them."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from ingest.catalogue.database import run_transaction
from ingest.catalogue.errors import CatalogueError
from ingest.catalogue.locks import Lock, hold_if_free
from ingest.catalogue.model import Root
from ingest.catalogue.model.base import utc_now
from ingest.catalogue.roots import list_roots_to_crawl, mark_crawled
from ingest.crawl import CrawlReport, crawl_root
from ingest.logs import about

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import timedelta

    from ingest.pipeline import Services

log = logging.getLogger(__name__)


def crawl_next(services: Services, every: timedelta) -> CrawlReport | None:
    """Crawl one root whose last crawl ended that long ago, and that nobody crawls now; None if there is none.

    One that cannot be crawled is passed over: its mount is missing, or its rules are wrong.
    """
    with services.read_sessions() as session:
        roots = list_roots_to_crawl(session, utc_now() - every)
    for root in roots:
        with about(root=root.path), hold_if_free(services.write_sessions, Lock.CRAWL, str(root.id)) as is_mine:
            if is_mine and _is_still_due(services, root):
                try:
                    report = crawl_and_note(services, root)
                except CatalogueError as error:
                    log.warning("it cannot be crawled: %s", error)
                    continue
                log.info("%d new, %d changed, %d gone", report.new, report.changed, report.vanished)
                for place in report.unreadable:
                    log.warning("out of reach: %s", place)
                return report
    return None


def crawl_and_note(services: Services, root: Root, report_folder: Callable[[str], None] | None = None) -> CrawlReport:
    """Crawl the root, and note when that was; raises RootGoneError, or RuleFileError if its rules cannot be used."""
    report = crawl_root(services, root, utc_now(), report_folder)
    run_transaction(services.write_sessions, lambda session: mark_crawled(session, root.id, utc_now()))
    return report


def _is_still_due(services: Services, root: Root) -> bool:
    """Return whether nobody has been through since it was listed."""
    with services.read_sessions() as session:
        return session.get_one(Root, root.id).crawled_at == root.crawled_at
