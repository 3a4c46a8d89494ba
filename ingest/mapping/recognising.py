"""Who wrote a file: what its record shows of its writer, weighed by the evidence that a rule file names."""

from __future__ import annotations

import re
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Final

from ingest.mapping.plan import to_source
from ingest.mapping.positions import ClassNames, EntryIndex
from ingest.mapping.readings import is_asked, read_place
from ingest.mapping.rule_schema import Source

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ingest.mapping.plan import SourcePlan
    from ingest.mapping.readings import Reading
    from ingest.mapping.rule_schema import Evidence
    from ingest.nexus.record import MasterRecord

_AS_STATED: Final = ClassNames({}, {})


class Traits:
    """What a record shows of its writer. The first entry is looked through once, and only if some evidence asks."""

    def __init__(self, record: MasterRecord) -> None:
        self._record = record

    def score(self, evidence: Iterable[Evidence]) -> int:
        """Return the sum of the scores of the evidence that the record shows."""
        return sum(item.score for item in evidence if self._shows(item))

    def _shows(self, evidence: Evidence) -> bool:
        entries = self._record.entries
        if evidence.attribute:
            value = self._record.root.attributes.get(evidence.attribute)
            return value is not None and re.search(evidence.matching, str(value), re.IGNORECASE) is not None
        if evidence.entry:
            return bool(entries) and all(re.fullmatch(evidence.entry, entry.name, re.IGNORECASE) for entry in entries)
        source = _to_source(evidence)
        return any(_fits(reading, source) for reading in self._read(source))

    @cached_property
    def _index(self) -> EntryIndex | None:
        entries = self._record.entries
        return EntryIndex(entries[0], self._record.root, _AS_STATED) if entries else None

    def _read(self, source: SourcePlan) -> Iterator[Reading]:
        if self._index is not None:
            for place in self._index.find(source.positions[0]):
                if is_asked(place, source):
                    yield from read_place(place, source)


@lru_cache(maxsize=256)
def _to_source(evidence: Evidence) -> SourcePlan:
    return to_source(Source(at=(evidence.at,), fields=(evidence.field,), matching=evidence.matching))


def _fits(reading: Reading, source: SourcePlan) -> bool:
    if source.matching is None:
        return True
    texts = reading.value if isinstance(reading.value, list) else [reading.value]
    return any(source.matching.search(str(text).strip()) for text in texts if text is not None)
