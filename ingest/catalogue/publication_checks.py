"""Whether datasets may be published together, asked before anything is written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import select

from ingest.catalogue.errors import CatalogueError, NotFoundError, NotReleasedError
from ingest.catalogue.model import Dataset, Investigation
from ingest.catalogue.visibility import ANONYMOUS, may_open_files

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sqlalchemy.orm import Session

BATCH: Final = 500


class SecretDatasetError(CatalogueError):
    """Nothing of a secret dataset can be published, its existence included."""

    def __init__(self, dataset_id: int) -> None:
        self.dataset_id = dataset_id
        super().__init__(f"dataset {dataset_id} is secret: it cannot be published")


class SeveralFacilitiesError(CatalogueError):
    """The datasets are of several facilities, and a publication has one publisher."""

    def __init__(self, dataset_id: int, other_id: int) -> None:
        self.dataset_ids = (dataset_id, other_id)
        super().__init__(f"datasets {dataset_id} and {other_id} are of two facilities: publish those of each by itself")


@dataclass(frozen=True, slots=True)
class Content:
    """What is to be known of the datasets before they are published."""

    facility_id: int
    start_date: datetime | None
    end_date: datetime | None
    release_date: datetime


def check_datasets(session: Session, dataset_ids: Sequence[int], now: datetime) -> Content:
    """Return what they have in common, their rows locked until the commit; all are there and released to everybody."""
    rows: list[Any] = []
    for start in range(0, len(dataset_ids), BATCH):
        batch = dataset_ids[start : start + BATCH]
        is_open = may_open_files(ANONYMOUS, now).label("is_open")
        statement = (
            select(Dataset, Investigation.facility_id, is_open)
            .join(Investigation, Investigation.id == Dataset.investigation_id)
            .where(Dataset.id.in_(batch))
            .order_by(Dataset.id)
            .with_for_update(of=Dataset)
        )
        found = {row[0].id: row for row in session.execute(statement)}
        for dataset_id in batch:
            if dataset_id not in found:
                raise NotFoundError("dataset", dataset_id)
            _check_dataset(found[dataset_id][0], is_open=found[dataset_id].is_open)
        rows += found.values()
    for row in rows:
        if row.facility_id != rows[0].facility_id:
            raise SeveralFacilitiesError(rows[0][0].id, row[0].id)
    return _to_content(rows[0].facility_id, [row[0] for row in rows])


def _check_dataset(dataset: Dataset, *, is_open: bool) -> None:
    if dataset.is_secret:
        raise SecretDatasetError(dataset.id)
    if not is_open:
        raise NotReleasedError(dataset.id)


def _to_content(facility_id: int, datasets: Sequence[Dataset]) -> Content:
    starts = [dataset.start_date for dataset in datasets if dataset.start_date]
    ends = [date for dataset in datasets if (date := dataset.end_date or dataset.start_date)]
    return Content(
        facility_id=facility_id,
        start_date=min(starts, default=None),
        end_date=max(ends, default=None),
        release_date=max(dataset.release_date for dataset in datasets if dataset.release_date),
    )
