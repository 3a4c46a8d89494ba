"""Building the index anew from the database, beside the one that is searched, and putting it in its place."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final

from ingest.catalogue.comparing import count_datasets, note_held, walk_stretches
from ingest.catalogue.database import run_transaction
from ingest.catalogue.indexing import load_documents
from ingest.pipeline import INDEX_BATCH, index_pending

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from sqlalchemy.orm import Session, sessionmaker

    from ingest.catalogue.comparing import Stretch
    from ingest.catalogue.document import SearchDocument
    from ingest.catalogue.search import IndexRebuild
    from ingest.pipeline import Services

COMMIT_BATCH: Final = 5000
"""Documents that a killed rebuild has to write again at most; smaller ones cost more commits."""
SHORT: Final = 500
"""A round that wrote no more than this leaves so little for the last one that writers wait a moment only."""


@dataclass(slots=True)
class Rebuilt:
    """What a rebuild, or one round of it, did."""

    kept_count: int = 0
    """Datasets that the new index held already: an earlier rebuild was gone on with."""
    written_count: int = 0

    @property
    def dataset_count(self) -> int:
        """How many datasets the new index holds."""
        return self.kept_count + self.written_count


def rebuild_index(
    sessions: sessionmaker[Session], rebuild: IndexRebuild, report: Callable[[int, int], None]
) -> Rebuilt:
    """Leave the rebuild the index that is searched, holding what the database says.

    Rounds of comparing and writing bring it ever nearer while others work; the last one, which is short, is done while
    nobody can write to the old index. `report` is given how many datasets it holds, and of how many.
    """
    with sessions() as session:
        total = count_datasets(session)
    rebuilt = later = bring_over(sessions, rebuild, lambda done: report(done, total))
    while later.written_count > SHORT:
        later = bring_over(sessions, rebuild)
    rebuild.finish(lambda: bring_over(sessions, rebuild))
    return rebuilt


def bring_over(
    sessions: sessionmaker[Session], rebuild: IndexRebuild, report: Callable[[int], None] = lambda _: None
) -> Rebuilt:
    """Compare the rebuild with the database, from the first id to the last, and write and delete what differs."""
    done = Rebuilt()
    for stretch in walk_stretches(sessions, rebuild):
        differing = stretch.list_differing()
        done.kept_count += len(stretch.stored.keys() - set(differing))
        for start in range(0, len(differing), COMMIT_BATCH):
            done.written_count += _repair(sessions, rebuild, stretch, differing[start : start + COMMIT_BATCH])
            report(done.dataset_count)
        report(done.dataset_count)
    return done


def settle_rebuilt(services: Services) -> None:
    """Leave noted for each dataset what the new index holds of it, and nothing lagging."""
    for stretch in walk_stretches(services.read_sessions, services.index):
        if stretch.list_misnoted():
            run_transaction(services.write_sessions, partial(note_held, stretch=stretch))
    index_pending(services)


def _repair(sessions: sessionmaker[Session], rebuild: IndexRebuild, stretch: Stretch, ids: Sequence[int]) -> int:
    """Make the rebuild hold these as the database says them; return how many of them it says anything of."""
    revisions = {dataset_id: stretch.stored[dataset_id].revision for dataset_id in ids if dataset_id in stretch.stored}
    # A write leaves alone what is newer: the database was set back since that was written.
    beyond = [dataset_id for dataset_id in ids if stretch.held.get(dataset_id, 0) > revisions.get(dataset_id, 0)]
    if beyond:
        rebuild.delete(beyond)
    rebuild.write(_load(sessions, list(revisions)))
    return len(revisions)


def _load(sessions: sessionmaker[Session], ids: Sequence[int]) -> Iterator[SearchDocument]:
    for start in range(0, len(ids), INDEX_BATCH):
        with sessions() as session:
            documents = load_documents(session, ids[start : start + INDEX_BATCH])
        yield from documents
