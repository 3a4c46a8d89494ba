"""Which parameters an entry can have at all, so that a vocabulary of a thousand costs what the file holds of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ingest.mapping.plan import TargetPlan
    from ingest.mapping.positions import EntryIndex

Numbers = set[int]
"""Targets by their place in the plan."""


class Lookup:
    """Targets by the groups and the members that they ask for.

    A target is known by the name of its group where it says one, else by its class, and below that by the names of the
    members; one that takes a group itself, or an attribute of it, is looked for wherever there is such a group.
    """

    def __init__(self, targets: tuple[TargetPlan, ...]) -> None:
        self._targets = targets
        self._by_class: dict[str, _Asked] = {}
        self._by_name: dict[str, _Asked] = {}
        for number, target in enumerate(targets):
            for source in target.sources:
                for position in source.positions:
                    last = position.steps[0]
                    name = last.index_name
                    known = self._by_name if name else self._by_class
                    known.setdefault(name or last.nx_class, _Asked()).add(number, source.names)

    def list_targets(self, index: EntryIndex) -> Iterator[TargetPlan]:
        """Yield, in their order, the targets for which there is a group with a member that they ask for."""
        found: Numbers = set()
        for asked, place in index.list_members(self._by_class, self._by_name):
            found |= asked.always
            for name in place.names() & asked.by_member.keys():
                found |= asked.by_member[name]
        return (self._targets[number] for number in sorted(found))


class _Asked:
    """What is asked of the groups of one class or name."""

    __slots__ = ("always", "by_member")

    def __init__(self) -> None:
        self.always: Numbers = set()
        self.by_member: dict[str, Numbers] = {}

    def add(self, number: int, names: frozenset[str] | None) -> None:
        if names is None:
            self.always.add(number)
        for name in names or ():
            self.by_member.setdefault(name, set()).add(number)
