"""What a scan was taken for: projections, darks, flats, an empty beam, a calibration; and which scans serve which."""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from ingest.mapping.drafts import Origin, ServingDraft, Taken
from ingest.mapping.rule_schema import PROJECTION, ScanKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from ingest.mapping.drafts import DetectorDraft, ScanDraft
    from ingest.mapping.findings import Search
    from ingest.mapping.plan import FramesPlan
    from ingest.nexus.record import Field

_SERVING: Final[tuple[ScanKind, ...]] = ("dark", "flat", "empty_beam", "calibration")
"""Kinds of scans that are taken for the sake of others."""
_NEAREST: Final = 8
"""Scans of a kind that are looked at on either side of the one that they may serve."""
_IMAGE: Final = 2
"""Dimensions from which on a detector's data tell it from a counter."""


def find_kind(
    search: Search, title: Taken[str] | None, command: Taken[str] | None
) -> tuple[Taken[str] | None, dict[str, int]]:
    """Return the scan's kind, and how many frames it has of each kind if that is told for each frame.

    What a key says goes before what title or command are like, which is an inference.
    """
    for taken, frames in _read_frames(search, search.plan.frames):
        if taken is not None or frames:
            return taken, frames
    for kind, form in search.plan.scan_kinds:
        for text in (title, command):
            if text is not None and form.search(text.value):
                return Taken(kind, text.path, text.original, origin=Origin.INFERRED), {}
    return None, {}


def _read_frames(search: Search, plan: FramesPlan) -> Iterator[tuple[Taken[str] | None, dict[str, int]]]:
    """Yield what each of the places says: the kind, if the scan has projections or is all of one kind."""
    for place in (place for position in plan.at for place in search.index.find(position)):
        for name in plan.fields:
            field = place.find_field(name)
            if field is None:
                continue
            tally = _to_tally(field)
            counts: Counter[str] = Counter()
            for key, count in tally.items():
                counts[plan.keys.get(key, "")] += count
            if not counts or "" in counts:
                continue  # what nobody knows the meaning of
            kind = PROJECTION if PROJECTION in counts else next(iter(counts)) if len(counts) == 1 else None
            path = place.group.path_of(field.name)
            original = ", ".join(f"{key} ({count} times)" if count > 1 else key for key, count in tally.items())
            yield Taken(kind, path, original) if kind else None, dict(counts) if field.shape else {}


def _to_tally(field: Field) -> dict[str, int]:
    """Return how often each key stands there; nothing if the values were not read."""
    if field.tally:
        return field.tally
    values = field.value if isinstance(field.value, list) else [] if field.value is None else [field.value]
    if not all(isinstance(value, int | float) and value == int(value) for value in values):
        return {}
    return dict(sorted(Counter(str(int(value)) for value in values).items()))


def tie_scans(scans: Sequence[ScanDraft]) -> tuple[ScanDraft, ...]:
    """Return the scans in their order, each with those that serve it: of each kind the last before, the first after.

    They serve projections or, where no scan has any, the scans of no special kind; what has frames of that kind itself
    needs no other. A scan serves only those that recorded with the same detector, as far as both tell.
    """
    served: ScanKind | None = PROJECTION if any(_kind_of(scan) == PROJECTION for scan in scans) else None
    if not any(_kind_of(scan) in _SERVING for scan in scans):
        return tuple(scans)
    before, after = _look(scans, served), _look(scans[::-1], served)[::-1]
    return tuple(
        replace(scan, served_by=tuple(dict.fromkeys((*earlier, *later)))) if earlier or later else scan
        for scan, earlier, later in zip(scans, before, after, strict=True)
    )


def _look(scans: Iterable[ScanDraft], served: ScanKind | None) -> list[list[ServingDraft]]:
    """Return for each scan those that it meets last of each kind on the way to it."""
    met: dict[str, deque[ScanDraft]] = {}
    found: list[list[ServingDraft]] = []
    for scan in scans:
        kind = _kind_of(scan)
        own: list[ServingDraft] = []
        if kind == served:
            for other, candidates in met.items():
                nearest = next((each for each in candidates if _share_detector(each, scan)), None)
                if nearest is not None and other not in scan.frames:
                    own.append(ServingDraft(other, nearest.entry))
        elif kind in _SERVING:
            met.setdefault(kind, deque(maxlen=_NEAREST)).appendleft(scan)
        found.append(own)
    return found


def _kind_of(scan: ScanDraft) -> str | None:
    return scan.kind.value if scan.kind is not None else None


def _share_detector(one: ScanDraft, other: ScanDraft) -> bool:
    mine, others = _to_cameras(one.detectors), _to_cameras(other.detectors)
    return not mine or not others or not mine.isdisjoint(others)


def _to_cameras(detectors: Iterable[DetectorDraft]) -> set[str]:
    return {detector.name for detector in detectors if len(detector.shape) >= _IMAGE}
