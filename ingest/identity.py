"""What a master's dataset is called and where it belongs: pure, from what the file, its path and its root say."""

from __future__ import annotations

from dataclasses import dataclass, replace
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from ingest.catalogue.model import NO_VISIT
from ingest.nexus.record import FileKind

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from ingest.catalogue.model import Root
    from ingest.catalogue.notices import ToldDataset
    from ingest.listing import Listing
    from ingest.mapping.drafts import DatasetDraft
    from ingest.mapping.paths import PathMatch


@dataclass(frozen=True, slots=True)
class MasterContext:
    """All that is known about a master besides what it says itself."""

    root: Root
    master_file_id: int
    path: Path
    file_size: int
    mtime_ns: int
    match: PathMatch | None
    listing: Listing
    folder_mtime_ns: int | None
    """Given where the whole folder is the dataset's."""
    is_complete: bool
    told: ToldDataset | None = None
    """What a notice said about it."""
    closed_at: datetime | None = None
    """Since when the dataset might be found; None for what lay there before anybody asked for it."""

    @property
    def below_root(self) -> Path:
        """The path relative to the root."""
        return self.path.relative_to(self.root.path)


LONGEST_NAME: Final = 1000
"""Characters: with a number behind it, it is as long as ICAT lets a name of a dataset be."""


class Place(NamedTuple):
    """The investigation that a master belongs to."""

    proposal: str
    visit: str
    is_inferred: bool


def is_no_dataset(draft: DatasetDraft) -> bool:
    """Return whether the file holds no dataset of its own: a collection of links, or another master's side file."""
    return draft.kind is FileKind.COLLECTION or draft.is_side_file


def to_content_digest(draft: DatasetDraft, context: MasterContext) -> str:
    """Return a short text that differs when anything differs that is stored of the dataset."""
    # Another version of the rules, or another pattern, that says the same is no news.
    content = (
        replace(draft, rules_version=""),
        str(context.path),
        context.listing.digest,
        context.is_complete,
        context.root.facility_id,
        replace(context.match, pattern="") if context.match else None,
        context.told,
    )
    return blake2b(msgspec.json.encode(content), digest_size=20).hexdigest()


def to_place(draft: DatasetDraft, context: MasterContext) -> Place:
    """Return the investigation: the one that a notice names, else the file, the path, or one for the first folder."""
    match = context.match
    told = context.told.proposal if context.told else None
    named = told or next((s.experiment_identifier.value for s in draft.scans if s.experiment_identifier), None)
    proposal = named or (match.proposal if match else None)
    visit = (match.visit if match else None) or NO_VISIT
    if proposal is not None:
        return Place(proposal, visit, is_inferred=False)
    below = context.below_root.parts
    return Place(below[0] if len(below) > 1 else Path(context.root.path).name, visit, is_inferred=True)


def to_names(context: MasterContext) -> Iterator[str]:
    """Yield what the dataset may be called, best first."""
    below = context.below_root
    for name in _to_full_names(context, below.parts):
        yield name[:LONGEST_NAME]


def _to_full_names(context: MasterContext, below: tuple[str, ...]) -> Iterator[str]:
    if context.match is not None and context.match.dataset:
        yield context.match.dataset
    else:
        if context.told is not None and context.told.dataset_name:
            yield context.told.dataset_name
        yield context.path.stem
    yield str(Path(*below[1:])) if len(below) > 1 else str(Path(*below))
    yield str(Path(*below))


def to_instruments(draft: DatasetDraft, context: MasterContext) -> dict[str, str | None]:
    """Return the instruments with their full names: that of the path or of a notice, else the file's."""
    said = {scan.instrument_name.value for scan in draft.scans if scan.instrument_name}
    told = context.told.instrument if context.told else None
    beamline = (context.match.beamline if context.match else None) or told
    return {beamline: min(said, default=None)} if beamline else dict.fromkeys(sorted(said))
