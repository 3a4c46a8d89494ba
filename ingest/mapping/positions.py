"""Positions in an entry: where a rule says that a value stands, and the groups that stand there."""

from __future__ import annotations

import re
from collections import deque
from dataclasses import dataclass
from fnmatch import translate
from functools import lru_cache
from typing import TYPE_CHECKING, Final, TypeVar

from ingest.catalogue.vocabulary import NUMBERED

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ingest.nexus.record import Field, Group

T = TypeVar("T")

ENTRY: Final = "nxentry"
ROOT: Final = "root"
_TRAILING_NUMBER: Final = re.compile(r"[_ -]?\d*$")
_DIGITS: Final = 2
"""Of the number of a group: `detector01`."""
_WILD: Final = frozenset("*?[")


@dataclass(frozen=True, slots=True)
class Step:
    """One group of a position: its class in lower case, or none; the form of its name, or none."""

    nx_class: str
    name: str
    form: re.Pattern[str] | None

    @property
    def index_name(self) -> str:
        """The name by which an entry's groups are indexed; empty if the step leaves it open."""
        return "" if self.nx_class in {ENTRY, ROOT} or not _WILD.isdisjoint(self.name) else self.name


@dataclass(frozen=True, slots=True)
class Position:
    """The steps from the group itself outwards; `is_numbered` if one of them takes the number from a group's name."""

    steps: tuple[Step, ...]
    text: str
    is_numbered: bool = False

    def matches(self, place: Place) -> bool:
        """Whether the group stands there: every step fits the group, its parent, and so on."""
        here: Place | None = place
        for step in self.steps:
            if here is None or (step.nx_class and step.nx_class != here.nx_class):
                return False
            if step.form is not None and not step.form.match(here.name):
                return False
            here = here.parent
        return True

    def find_numbered(self, place: Place) -> tuple[Place, int]:
        """Return the group whose name states a number, and the number; of another position the place itself and 0."""
        here: Place | None = place
        for step in self.steps if self.is_numbered else ():
            if here is not None and NUMBERED in step.name:
                return here, int(here.name[-_DIGITS:])
            here = here.parent if here is not None else None
        return place, 0


class Place:
    """One group of an entry, with its class as we understand it and the way back to the entry."""

    __slots__ = ("_fields", "_groups", "_names", "group", "name", "nx_class", "order", "parent")

    def __init__(self, group: Group, nx_class: str, parent: Place | None, order: int = 0) -> None:
        self.group = group
        self.nx_class = nx_class
        self.parent = parent
        self.order = order
        self.name = group.name.casefold()
        self._fields: dict[str, Field] | None = None
        self._groups: dict[str, Group] | None = None
        self._names: frozenset[str] | None = None

    def has_any(self, names: frozenset[str]) -> bool:
        """Whether one of the members has one of these names, in lower case."""
        return not self.names().isdisjoint(names)

    def names(self) -> frozenset[str]:
        """Return the names of all members, in lower case."""
        if self._names is None:
            fields = {field.name.casefold() for field in self.group.fields}
            self._names = frozenset(fields.union(group.name.casefold() for group in self.group.groups))
        return self._names

    def find_field(self, name: str) -> Field | None:
        """Return the field of that name in lower case; of two that differ in case only, the first."""
        if self._fields is None:
            self._fields = {field.name.casefold(): field for field in reversed(self.group.fields)}
        return self._fields.get(name)

    def find_group(self, name: str) -> Group | None:
        """Return the group of that name in lower case."""
        if self._groups is None:
            self._groups = {group.name.casefold(): group for group in reversed(self.group.groups)}
        return self._groups.get(name)

    def relative_path(self) -> str:
        """Return the path below the entry, which is the same in every scan of a file."""
        return "" if self.parent is None else f"{self.parent.relative_path()}/{self.name}"


class ClassNames:
    """Which class a group has: its own if it is one, else what its name says, else none."""

    def __init__(self, by_name: Mapping[str, tuple[str, ...]], equals: Mapping[str, str]) -> None:
        self._by_name = {name.casefold(): cls.casefold() for cls, names in by_name.items() for name in names}
        self._equals = {one.casefold(): other.casefold() for one, other in equals.items()}
        self._find = lru_cache(maxsize=4096)(self._to_class)

    def find(self, group: Group) -> str:
        """Return the class in lower case, empty if there is none."""
        return self._find(group.nx_class, group.name)

    def _to_class(self, nx_class: str, name: str) -> str:
        stated = nx_class.strip().casefold()
        if stated.startswith("nx"):
            return self._equals.get(stated, stated)
        lowered = name.casefold()
        by_name = self._by_name.get(lowered) or self._by_name.get(_TRAILING_NUMBER.sub("", lowered), "")
        return self._equals.get(by_name, by_name)


class EntryIndex:
    """The groups of one entry by class and by name, the outermost first."""

    def __init__(self, entry: Group, root: Group, classes: ClassNames) -> None:
        self.entry = Place(entry, ENTRY, None)
        self.root = Place(root, ROOT, None)
        self._by_class: dict[str, list[Place]] = {ENTRY: [self.entry], ROOT: [self.root]}
        self._by_name: dict[str, list[Place]] = {}
        self._by_member: dict[str, dict[str, list[Place]]] = {}
        waiting = deque([self.entry])
        order = 0
        while waiting:
            place = waiting.popleft()
            for group in place.group.groups:
                order += 1
                inner = Place(group, classes.find(group), place, order)
                self._by_class.setdefault(inner.nx_class, []).append(inner)
                self._by_name.setdefault(inner.name, []).append(inner)
                if inner.name[-_DIGITS:].isdigit():
                    self._by_name.setdefault(inner.name[:-_DIGITS] + NUMBERED, []).append(inner)
                waiting.append(inner)

    def list_places(self) -> Iterator[Place]:
        """Yield the entry and every group of it."""
        for nx_class, places in self._by_class.items():
            if nx_class != ROOT:
                yield from places

    def find(self, position: Position) -> Iterator[Place]:
        """Yield the groups at the position, the outermost first."""
        last = position.steps[0]
        name = last.index_name
        places = self._by_name.get(name) if name else self._by_class.get(last.nx_class)
        if places:
            for place in places:
                if position.matches(place):
                    yield place

    def list_members(self, by_class: Mapping[str, T], by_name: Mapping[str, T]) -> Iterator[tuple[T, Place]]:
        """Yield each group of a class, or of a name, that is asked for, with what is asked of it."""
        for asked, known in ((by_class, self._by_class), (by_name, self._by_name)):
            for key in asked.keys() & known.keys():
                for place in known[key]:
                    yield asked[key], place

    def find_with(self, position: Position, names: frozenset[str]) -> list[Place]:
        """Return the groups at the position that have a member of one of these names, the outermost first.

        A scan may have a hundred counters, each an NXdetector with three members, and twenty rules that ask them for
        others; so the members are indexed once for each position.
        """
        by_member = self._by_member.get(position.text)
        if by_member is None:
            by_member = self._by_member[position.text] = {}
            for place in self.find(position):
                for name in place.names():
                    by_member.setdefault(name, []).append(place)
        found = {place.order: place for name in names for place in by_member.get(name, ())}
        return [found[order] for order in sorted(found)]


@lru_cache(maxsize=4096)
def to_position(text: str) -> Position:
    """Return the position that a rule writes: `NXsample/NXbeam`, `NXcollection:positioners`, `:experiment`, `root`.

    Raises ValueError if a step is neither class nor name, or if the last is a name with `*` and no class: there would
    be no index for it.
    """
    steps = tuple(_to_step(part) for part in reversed(text.split("/")))
    if not steps[0].nx_class and ("*" in steps[0].name or not steps[0].name):
        raise ValueError(f"position {text!r} must end with a class, or with a name without `*`")
    return Position(steps, text, is_numbered=NUMBERED in text)


@lru_cache(maxsize=4096)
def _to_step(part: str) -> Step:
    nx_class, _, name = part.partition(":")
    if not (name or nx_class.casefold() == ROOT) and not nx_class.casefold().startswith("nx"):
        raise ValueError(f"{part!r} is no step of a position: write a class, class:name or :name")
    form = _to_form(name.casefold()) if name else None
    return Step(nx_class.casefold(), name.casefold(), form)


def _to_form(name: str) -> re.Pattern[str]:
    """Return the form of a name: `*` is anything, `{nn}` a number of two digits at the end."""
    return re.compile(translate(name).replace(re.escape(NUMBERED), r"\d" * _DIGITS))
