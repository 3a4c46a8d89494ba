"""Working off what is due: one claim after the other, the index brought along, until nothing is left."""

from __future__ import annotations

import logging
import time
from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING

from ingest.catalogue.database import run_transaction
from ingest.catalogue.errors import ConflictError
from ingest.catalogue.masters import Claim, claim_next, release_abandoned, to_claimant
from ingest.catalogue.model.base import utc_now
from ingest.catalogue.releases import stamp_releases
from ingest.nexus.child import ReaderChild
from ingest.noticing import settle_notices
from ingest.pipeline import Outcome, Services, fail_master, index_pending, ingest_master
from ingest.settings import to_limits

if TYPE_CHECKING:
    from collections.abc import Callable

log = logging.getLogger(__name__)

INDEX_EVERY_SECONDS = 2.0
"""A commit of the index costs 10 ms, whatever is in it."""


def drain(
    services: Services, report: Callable[[Outcome], None] | None = None, root_ids: list[int] | None = None
) -> int:
    """Leave no due master unread, below these roots or below all, and the index current; return how many there were."""
    claimant = to_claimant()
    count = 0
    indexed_at = time.monotonic()
    settings = services.settings
    with services.write_sessions.begin() as session:
        release_abandoned(session, utc_now(), timedelta(seconds=settings.claim_seconds), settings.max_attempts)
    with make_reader(services) as reader:
        settle_notices(services, utc_now())
        while (claim := _claim(services, claimant, root_ids)) is not None:
            outcome = ingest_claimed(services, reader, claim)
            count += 1
            if outcome is not None and report is not None:
                report(outcome)
            if time.monotonic() - indexed_at > INDEX_EVERY_SECONDS:
                settle_index(services)
                indexed_at = time.monotonic()
    settle_index(services)
    return count


def ingest_claimed(services: Services, reader: ReaderChild, claim: Claim) -> Outcome | None:
    """Ingest one claimed master, whatever happens: this is the task boundary. None if another worker has it now."""
    with suppress(ConflictError):
        try:
            return ingest_master(services, reader, claim, utc_now())
        except ConflictError:
            raise
        except Exception as error:
            log.exception("failed over %s", claim.path)
            return fail_master(services, claim, error, utc_now())
    return None


def settle_index(services: Services) -> None:
    """Carry release dates over that have come near, and bring the index up to date."""
    while run_transaction(services.write_sessions, lambda session: stamp_releases(session, utc_now())):
        pass
    index_pending(services)


def make_reader(services: Services) -> ReaderChild:
    """Return a reader with the limits of the settings."""
    return ReaderChild(to_limits(services.settings))


def _claim(services: Services, claimant: str, root_ids: list[int] | None) -> Claim | None:
    return run_transaction(services.write_sessions, lambda session: claim_next(session, claimant, utc_now(), root_ids))
