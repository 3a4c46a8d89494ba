"""What follows when a master could not be read: one table, by the error's class or the nearest class above it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from ingest.catalogue.errors import UnavailableError
from ingest.catalogue.model import MasterState
from ingest.mapping.rule_texts import RuleFileError
from ingest.nexus.errors import (
    ChangedWhileReadingError,
    NexusStructureError,
    NotFinishedError,
    NotHdf5Error,
    OfflineError,
    ReaderKilledError,
    UnreadableFileError,
)

if TYPE_CHECKING:
    from ingest.catalogue.masters import Claim
    from ingest.settings import IngestSettings

LONGEST_DELAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Retry:
    """The state that a failed master goes to, and when it is looked at again.

    `delay_seconds` None: not before its stat changes or a person asks. A `doubles` delay grows with each attempt. With
    `until_failed` the failure counts, and the last one that is allowed ends in quarantine.
    """

    state: MasterState
    delay_seconds: float | None = None
    doubles: bool = False
    until_failed: bool = False


RETRIES: dict[type[Exception], Retry] = {
    NotFinishedError: Retry(MasterState.SETTLING, delay_seconds=30, doubles=True),
    ChangedWhileReadingError: Retry(MasterState.SETTLING, delay_seconds=30),
    FileNotFoundError: Retry(MasterState.VANISHED),
    # Wrong rights, stale handles, a disk in trouble: the file may be well. It stays in sight with its reason.
    OSError: Retry(MasterState.READY, delay_seconds=30, doubles=True),
    # The database did not answer, or somebody held for long what we needed: no file is to blame, and it is soon over.
    UnavailableError: Retry(MasterState.READY, delay_seconds=2, doubles=True),
    # The root's rule file is missing or wrong: no file is to blame.
    RuleFileError: Retry(MasterState.READY, delay_seconds=30, doubles=True),
    OfflineError: Retry(MasterState.OFFLINE),
    # What its bytes say does not change with time.
    NotHdf5Error: Retry(MasterState.QUARANTINED),
    UnreadableFileError: Retry(MasterState.QUARANTINED),
    NexusStructureError: Retry(MasterState.QUARANTINED),
    ReaderKilledError: Retry(MasterState.READY, delay_seconds=0, until_failed=True),
    # Not foreseen: our own mistake as likely as the file's.
    Exception: Retry(MasterState.READY, delay_seconds=0, until_failed=True),
}


def to_retry(error: Exception) -> Retry:
    """Return the row of the table that holds for the error."""
    return next(RETRIES[kind] for kind in type(error).__mro__ if kind in RETRIES)


def to_failed_values(
    error: Exception, claim: Claim, settings: IngestSettings, now: datetime
) -> tuple[MasterState, dict[str, Any]]:
    """Return the state that the master goes to, and the columns that say why and when it is looked at again."""
    retry = to_retry(error)
    failures = claim.failures + 1 if retry.until_failed else claim.failures
    reason = getattr(error, "reason", None) or getattr(error, "strerror", None) or type(error).__name__
    values: dict[str, Any] = {"failures": failures, "reason": str(reason)[:255], "last_error": str(error)[:2000]}
    if failures >= settings.max_failures:
        return MasterState.QUARANTINED, values
    if retry.delay_seconds is not None:
        factor = 2 ** min(claim.attempts, 16) if retry.doubles else 1
        delay = min(timedelta(seconds=retry.delay_seconds * factor), LONGEST_DELAY)
        values["next_attempt_at"] = now + delay
    return retry.state, values
