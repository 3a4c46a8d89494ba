"""What was read of each master, and by which rules it was mapped last. Functions over a Session; none commits.

`rulebook` is a digest of the rules. Records are found by it through an index alone: they are large, and few are wanted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select, update

from ingest.catalogue.database import upsert
from ingest.catalogue.model import MasterRecord

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.orm import Session


def store_record(session: Session, master_file_id: int, record_format: int, rulebook: str, document: bytes) -> None:
    """Keep the record of a master, in place of an older one, as mapped by these rules."""
    changed = {"format": record_format, "rulebook": rulebook, "document": document}
    session.execute(upsert(session, MasterRecord, {"master_file_id": master_file_id}, changed))


def find_rulebook(session: Session, master_file_id: int) -> str | None:
    """Return by which rules a master's record was mapped last; None if there is no record."""
    return session.scalar(select(MasterRecord.rulebook).where(MasterRecord.master_file_id == master_file_id))


def mark_mapped(session: Session, master_file_ids: Sequence[int], rulebook: str) -> None:
    """Note that these records were mapped by these rules."""
    session.execute(
        update(MasterRecord)
        .where(MasterRecord.master_file_id.in_(master_file_ids))
        .values(rulebook=rulebook)
        .execution_options(synchronize_session=False)
    )
