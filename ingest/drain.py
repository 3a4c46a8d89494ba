"""Working off what is due: one claim after the other, the index brought along, until nothing is left."""

from __future__ import annotations

import logging
import time
from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING

from ingest.catalogue.database import run_transaction
from ingest.catalogue.errors import ConflictError, UnavailableError
from ingest.catalogue.masters import Claim, claim_next, has_due_master, release_abandoned, to_claimant
from ingest.catalogue.model.base import utc_now
from ingest.catalogue.notices import has_due_notice
from ingest.catalogue.releases import stamp_releases
from ingest.logs import about
from ingest.nexus.child import ReaderChild
from ingest.noticing import settle_notices, settle_some
from ingest.pipeline import Outcome, Services, fail_master, index_pending, ingest_master, refill_lost_index
from ingest.settings import to_limits
from ingest.stages import stage

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
    free_abandoned(services, claimant)
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


def drain_slice(
    services: Services,
    reader: ReaderChild,
    seconds: float,
    report: Callable[[Outcome | None], None],
    wake: Callable[[], None],
) -> int:
    """Work off due notices and masters for that long, and leave what changed to be indexed; return how many changed.

    Whoever might help is woken: as soon as more is due than one has in hand, and at the end if anything still is.
    """
    claimant, until, changed = to_claimant(), time.monotonic() + seconds, 0
    free_abandoned(services, claimant)
    while time.monotonic() < until and settle_some(services, utc_now()):
        _wake_if_due(services, wake)
    is_first = True
    while time.monotonic() < until and (claim := _claim(services, claimant, None)) is not None:
        if is_first:
            _wake_if_due(services, wake)
            is_first = False
        outcome = ingest_claimed(services, reader, claim)
        report(outcome)
        changed += outcome is not None and outcome.has_changed
    _wake_if_due(services, wake)
    return changed


def _wake_if_due(services: Services, wake: Callable[[], None]) -> None:
    now = utc_now()
    with services.read_sessions() as session:
        is_due = has_due_notice(session, now) or has_due_master(session, now)
    if is_due:
        wake()


def free_abandoned(services: Services, claimant: str) -> None:
    """Leave no master in the hand of a worker that is gone, nor in our own: we begin.

    What we had in hand when the database went away, we could not even let go of.
    """
    settings = services.settings
    lease = timedelta(seconds=settings.claim_seconds)
    run_transaction(
        services.write_sessions,
        lambda session: release_abandoned(session, utc_now(), lease, settings.max_attempts, claimant),
    )


def ingest_claimed(services: Services, reader: ReaderChild, claim: Claim) -> Outcome | None:
    """Ingest one claimed master, whatever happens: this is the task boundary. None if another worker has it now."""
    with about(master=claim.path, claim=claim.claimed_by), suppress(ConflictError):
        try:
            outcome = ingest_master(services, reader, claim, utc_now())
        except ConflictError:
            log.info("another worker has it by now")
            raise
        except Exception as error:
            # Where the database went away, no stack says more.
            log.log(
                logging.ERROR, "failed over %s: %s", claim.path, error, exc_info=not isinstance(error, UnavailableError)
            )
            outcome = fail_master(services, claim, error, utc_now())
        with about(dataset=outcome.dataset_id):
            log.info("%s%s", outcome.state, f": {outcome.reason}" if outcome.reason else "")
        return outcome
    return None


def settle_index(services: Services) -> None:
    """Carry release dates over that have come near, and bring the index up to date, all of it if it was lost."""
    turn_releases(services)
    # Before anything is written to it: an index that holds something is not lost.
    refill_lost_index(services)
    index_pending(services)


def turn_releases(services: Services) -> int:
    """Carry release dates over that have come near; return how many investigations were touched."""
    total = 0
    while turned := run_transaction(services.write_sessions, lambda session: stamp_releases(session, utc_now())):
        total += turned
    return total


def make_reader(services: Services) -> ReaderChild:
    """Return a reader with the limits of the settings."""
    return ReaderChild(to_limits(services.settings))


def _claim(services: Services, claimant: str, root_ids: list[int] | None) -> Claim | None:
    with stage("claim"):
        return run_transaction(
            services.write_sessions, lambda session: claim_next(session, claimant, utc_now(), root_ids)
        )
