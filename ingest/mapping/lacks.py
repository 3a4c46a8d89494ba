"""What a record may lack of that which rules ask for, because the reader left it out: pure.

Reading a file again brings more only where this release's reader keeps more than the one that wrote the record.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ingest.catalogue.redaction import is_personal
from ingest.catalogue.vocabulary import list_numbered
from ingest.mapping.patients import PATIENT
from ingest.mapping.positions import EntryIndex, Position
from ingest.nexus.classes import Reading, find_keep, to_within
from ingest.nexus.record import RECORD_FORMAT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ingest.mapping.drafts import DatasetDraft
    from ingest.mapping.plan import Plan, TargetPlan
    from ingest.mapping.positions import Place
    from ingest.nexus.record import MasterRecord

OLDER_FORMAT: Final = "a record of an older format"
_CUTS: Final = frozenset({"fields", "groups", "members"})
"""The caps behind which a group's members are not looked at."""
_TURN: Final = 64
"""The reader looks at so many members of a group before the others have had their turn: one with fewer is whole."""


def find_lacks(record: MasterRecord, draft: DatasetDraft, plan: Plan) -> tuple[str, ...]:
    """Return the targets that found nothing in any entry and look where a cap cut the reading short.

    An older format lacks whatever later ones keep. A group that some entry shows whole is not missed in others: a
    snapshot of motors stands in the first scan alone.
    """
    if record.format < RECORD_FORMAT:
        return (OLDER_FORMAT,)
    found = {parameter.name for parameter in draft.parameters}
    left_out = _list_left_out(record, found, plan)
    if _CUTS.isdisjoint(record.truncated):
        return left_out
    wanted = [target for target in plan.parameters if found.isdisjoint(list_numbered(target.name))]
    wanted += [t for name, t in plan.targets.items() if all(getattr(scan, name) is None for scan in draft.scans)]
    cut = _Cut(_list_cut(record, plan))
    return tuple(dict.fromkeys([*left_out, *(target.name for target in wanted if cut.may_hold(target))]))


def _list_left_out(record: MasterRecord, found: set[str], plan: Plan) -> tuple[str, ...]:
    """Return the personal parameters that were not asked for when the record was stored, and may be in the file."""
    if PATIENT not in record.truncated:
        return ()
    personal = (target.name for target in plan.parameters if target.is_personal)
    return tuple(name for name in personal if found.isdisjoint(list_numbered(name)))


def list_unkept(plan: Plan) -> list[str]:
    """Return the targets that no record will ever fill, each with the reason: the reader keeps nothing of the kind."""
    return [
        f"{target.name}: {reason}"
        for target in (*plan.targets.values(), *plan.parameters)
        for reason in dict.fromkeys(_list_reasons(target))
    ]


def _list_reasons(target: TargetPlan) -> Iterator[str]:
    for source in target.sources:
        for position in source.positions:
            if find_keep(position.steps[0].nx_class, "").reading is Reading.NAME:
                yield f"of {position.text} the class alone is kept"
        for field in source.fields:
            if is_personal(field.name or field.attribute):
                yield f"{field.name or field.attribute} may be somebody's address or number, which is never kept"


class _Cut:
    """The groups of which members may be missing; a position that many targets share is looked at once."""

    def __init__(self, places: list[Place]) -> None:
        self._places = places
        self._known: dict[str, bool] = {}

    def may_hold(self, target: TargetPlan) -> bool:
        """Return whether one of the target's positions is such a group, or one right below that is not there."""
        return any(self._may_hold(position) for source in target.sources for position in source.positions)

    def _may_hold(self, position: Position) -> bool:
        known = self._known.get(position.text)
        if known is None:
            above = Position(position.steps[1:], "")
            known = any(_may_hold(place, position, above) for place in self._places)
            self._known[position.text] = known
        return known


def _list_cut(record: MasterRecord, plan: Plan) -> list[Place]:
    """Return the groups of which members may be missing, and which no entry shows whole."""
    cut: dict[str, Place] = {}
    whole: set[str] = set()
    for entry in record.entries:
        places = list(EntryIndex(entry, record.root, plan.classes).list_places())
        last = max((_to_rank(place) for place in places if _has_members(place)), default=0)
        for place in places:
            path = place.relative_path()
            if _is_whole(place, last if "fields" in record.truncated else last + 1):
                whole.add(path)
            else:
                cut.setdefault(path, place)
    return [place for path, place in cut.items() if path not in whole]


def _is_whole(place: Place, cut_rank: int) -> bool:
    """Return whether all members of a group were looked at; of those of the rank that was read last one was not."""
    group = place.group
    if "target" in group.attributes or find_keep(group.nx_class, group.name).reading is Reading.NAME:
        return True
    return 0 < len(group.fields) + len(group.groups) < _TURN and _to_rank(place) < cut_rank


def _has_members(place: Place) -> bool:
    return bool(place.group.fields or place.group.groups)


def _to_rank(place: Place) -> int:
    within = _to_within(place.parent) if place.parent is not None else ""
    return find_keep(place.group.nx_class, place.group.name, within).rank


def _to_within(place: Place) -> str:
    """Return what the members of a group lie in, as the reader saw it."""
    return to_within(place.group.nx_class, _to_within(place.parent) if place.parent is not None else "")


def _may_hold(place: Place, position: Position, above: Position) -> bool:
    """Return whether the position is that group, or one right below it that is not in the record."""
    return position.matches(place) or (above.matches(place) if above.steps else place.parent is None)
