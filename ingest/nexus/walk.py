"""The walk through an open master: which groups are read, in which order, until the budget ends."""

from __future__ import annotations

import heapq
import re
from collections import Counter
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from ingest.catalogue.redaction import is_personal
from ingest.nexus.classes import (
    FIRST_NAMES,
    TELLING,
    Keep,
    Reading,
    find_keep,
    is_entry,
    is_repeated_snapshot,
    to_class,
    to_within,
)
from ingest.nexus.fields import Scope, read_attributes, read_field
from ingest.nexus.library import (
    MEMBER_ERRORS,
    LibraryField,
    LibraryFile,
    LibraryGroup,
    raise_if_out_of_reach,
    to_absolute,
)
from ingest.nexus.links import LinkedFiles
from ingest.nexus.opened import Members
from ingest.nexus.pages import UnusualError
from ingest.nexus.parser import ParsedField, ParsedGroup, Parser
from ingest.nexus.record import Field, FileKind, Group, MasterRecord
from ingest.nexus.values import to_name

if TYPE_CHECKING:
    from ingest.nexus.budget import Budget
    from ingest.nexus.record import Value

    OpenGroup = LibraryGroup | ParsedGroup
    OpenField = LibraryField | ParsedField

_GROUPS = (LibraryGroup, ParsedGroup)
_USER = re.compile(r"users?[_ -]?\d*", re.IGNORECASE)
"""Groups that are users though they do not say so."""
_TURN = 64
"""Members of a group that are read before the others have had their turn."""
_LATER = 10
"""Added to the rank of a group's further turns, so that they come after the first turn of all others."""

_MOVERS = 8
"""Positioners of a further entry that are read early: a scan moves few motors, and may have a hundred counters."""
_EARLY = 1
"""Their rank: that of the instrument's first parts."""


def read_tree(library: LibraryFile, parser: Parser | None, budget: Budget, swmr: bool) -> MasterRecord:
    """Return the record of an open file: its entries first, then what the root holds beside them.

    Objects are found by the parser where there is one, and by libhdf5 where it does not know them. Raises one of
    MEMBER_ERRORS where the root itself cannot be read; a damaged member is counted, not raised.
    """
    reader = _Reader(library, parser, budget)
    root, entries = reader.read_root()
    finished = [reader.to_group(node, node.path, set()) for node in (root, *entries)]
    kind = FileKind.NEXUS if entries else FileKind.COLLECTION if reader.only_links else FileKind.OTHER
    return MasterRecord(
        kind=kind,
        root=finished[0],
        entries=tuple(finished[1:]),
        linked_files=reader.linked.to_tuple(),
        truncated=dict(sorted(reader.truncated.items())),
        swmr=swmr,
    )


class _Node:
    """A group while it is being read; `same_as` is the address of an object that is read under another path."""

    __slots__ = ("attributes", "fields", "groups", "nx_class", "path", "raw_path", "same_as")

    def __init__(self, raw_path: bytes, attributes: dict[str, Value], same_as: int | None = None) -> None:
        self.raw_path = raw_path
        self.path = to_name(raw_path) or "/"
        self.nx_class = to_class(attributes.pop("NX_class", None), attributes.get("canSAS_class"))
        self.attributes = attributes
        self.fields: list[Field] = []
        self.groups: list[_Node] = []
        self.same_as = same_as

    @property
    def name(self) -> str:
        return self.path.rpartition("/")[2]

    def path_of(self, name: bytes) -> bytes:
        return self.raw_path + b"/" + name


class _Reader:
    """One reading of one file: what was seen already, what the record holds and how much is left of its budget."""

    def __init__(self, library: LibraryFile, parser: Parser | None, budget: Budget) -> None:
        self.budget = budget
        self.library = library
        self.parser = parser
        self.groups_seen: dict[int, _Node] = {}
        self.fields_seen: dict[int, Field] = {}
        self.truncated: Counter[str] = Counter()
        self.linked = LinkedFiles(budget, self.truncated)
        self.bytes_used = 0
        self.copies = 0
        self.only_links = False
        self.entry_addresses: set[int] = set()

    def read_root(self) -> tuple[_Node, list[_Node]]:
        """Return the root's node and those of its entries, read."""
        root = self.make_node(self.library.root, b"")
        members = self.list_members(self.library.root, root)
        self.groups_seen[self.library.root_address] = root
        entries, others = self._read_entries(root, members.hard)
        limit = self.budget.entry_fields if entries else self.budget.first_entry_fields
        members.hard = others
        self.drop_long_names(members)
        _Tree(self, limit, first=not entries).read(root, self.library.root, Keep(Reading.SMALL, 0), members)
        self.only_links = bool(members.external) and not entries and not root.groups
        return root, entries

    def _read_entries(self, root: _Node, hard: list[tuple[bytes, int]]) -> tuple[list[_Node], list[tuple[bytes, int]]]:
        """Return the entries and those members of the root that are none."""
        entries: list[_Node] = []
        others = []
        for name, address in hard:
            try:
                opened = self.open_member(self.library.root, root.path_of(name), address)
                if not isinstance(opened, _GROUPS):
                    others.append((name, address))
                    continue
                node = self.make_node(opened, root.path_of(name))
                if not is_entry(node.nx_class):
                    others.append((name, address))
                elif address in self.entry_addresses:
                    root.groups.append(_Node(node.raw_path, {}, address))
                elif len(entries) >= self.budget.entries:
                    self.truncated["entries"] += 1
                else:
                    entries.append(node)
                    self._read_entry(node, opened, address, first=len(entries) == 1)
            except MEMBER_ERRORS as error:
                raise_if_out_of_reach(error)
                self.truncated["unreadable"] += 1
        return entries, others

    def _read_entry(self, node: _Node, group: OpenGroup, address: int, *, first: bool) -> None:
        self.entry_addresses.add(address)
        self.groups_seen[address] = node
        spare = not first and self.bytes_used > self.budget.record_bytes // 2
        limit = self.budget.first_entry_fields if first else self.budget.entry_fields
        tree = _Tree(self, self.budget.spare_entry_fields if spare else limit, first=first, alone=spare)
        tree.read(node, group, find_keep(node.nx_class, ""))

    def open_member(self, parent: OpenGroup, path: bytes, address: int) -> OpenGroup | OpenField | None:
        """Return the object at a path of hard links, None if it is neither group nor field."""
        if self.parser is not None:
            found = self.parser.find(address, partial(self._open_field, path))
            if found is not None:
                return found
        if isinstance(parent, LibraryGroup):
            return parent.open_member(path.rpartition(b"/")[2])
        return self.library.open_path(path)

    def _open_field(self, path: bytes) -> OpenField:
        opened = self.library.open_path(path)
        if opened is None or isinstance(opened, _GROUPS):
            raise TypeError(path)
        return opened

    def make_node(self, group: OpenGroup, path: bytes) -> _Node:
        """Return the node of an open group with its class and attributes."""
        attributes, lost = read_attributes(group, self.budget, _is_user(to_name(path.rpartition(b"/")[2])))
        if lost:
            self.truncated["attributes"] += lost
        self.bytes_used += 60 + len(path) + _to_size(attributes)
        node = _Node(path, attributes)
        if node.nx_class.lower() == "nxuser":
            # What it is was not known before.
            node.attributes = {name: each for name, each in attributes.items() if not is_personal(name, of_a_user=True)}
        return node

    def list_members(self, group: OpenGroup, node: _Node) -> Members:
        """Return the links of a group; those to other files are noted, those past the cap counted."""
        try:
            members = group.list_members(self.budget.members)
        except UnusualError:  # the parser's: damaged, or past the cap
            opened = self.library.open_path(node.raw_path)
            members = opened.list_members(self.budget.members) if isinstance(opened, LibraryGroup) else Members()
        if members.lost:
            self.truncated["members"] += members.lost
        if node.raw_path:
            # An entry of the root with a longer name is no file for the catalogue, which says so.
            self.drop_long_names(members)
        self.linked.add_external(node.path, members.external)
        return members

    def drop_long_names(self, members: Members) -> None:
        """Leave out members with longer names than a record takes, and count them."""
        if dropped := members.drop_names_beyond(self.budget.name_bytes):
            self.truncated["names"] += dropped

    def to_group(self, node: _Node, path: str, above: set[int]) -> Group:
        """Return the finished group; one that was read under another path is copied, unless it would recur.

        So each entry holds what belongs to it, also where a writer linked one sample into all of them.
        """
        source = node if node.same_as is None else self.groups_seen.get(node.same_as, node)
        attributes = source.attributes
        if node.same_as is not None:
            attributes = {"target": source.path, **attributes}
            self.copies += 1
            recurs = id(source) in above or node.same_as in self.entry_addresses or source.path == "/"
            if recurs or self.copies > self.budget.groups or path.count("/") > self.budget.levels:
                return Group(path, source.nx_class, attributes)
        above.add(id(source))
        below = path.rstrip("/")
        groups = [self.to_group(child, f"{below}/{child.name}", above) for child in source.groups]
        above.discard(id(source))
        return Group(path, source.nx_class, attributes, tuple(source.fields), tuple(groups))


class _Job:
    """A group whose members are being read, and those that are left, last first."""

    __slots__ = ("group", "hard", "is_telling", "names", "node", "scope", "soft", "within")

    def __init__(self, node: _Node, group: OpenGroup, scope: Scope) -> None:
        self.node = node
        self.group = group
        self.scope = scope
        self.hard: list[tuple[bytes, int]] = []
        self.soft: list[tuple[bytes, bytes]] = []
        self.names: set[bytes] | None = None
        self.within = ""
        self.is_telling = False


class _Tree:
    """The walk through one entry: the most telling groups first, each a turn, until its fields are used up."""

    def __init__(self, reader: _Reader, fields: int, *, first: bool, alone: bool = False) -> None:
        self.reader = reader
        self.budget = reader.budget
        self.fields_left = fields
        self.groups_left = 0 if alone else reader.budget.groups
        self.movers_left = _MOVERS
        self.first = first
        self.telling_left = reader.budget.telling_fields if first else 0
        self.queue: list[tuple[int, int, _Job]] = []
        self.queued = 0
        self.addresses: dict[bytes, int] = {}
        """Members listed in this entry by path, so that soft links to them need no look-up."""

    def read(self, node: _Node, group: OpenGroup, keep: Keep, members: Members | None = None) -> None:
        """Read the tree below `node`."""
        self._queue_group(node, group, keep)
        if members is not None:
            self._set_members(self.queue[0][2], members)
        while self.queue:
            rank, _, job = heapq.heappop(self.queue)
            if self.fields_left <= 0 or self.reader.bytes_used > self.budget.record_bytes:
                self.reader.truncated["groups"] += 1
                continue
            try:
                self._read_turn(job)
            except MEMBER_ERRORS as error:
                raise_if_out_of_reach(error)
                self.reader.truncated["unreadable"] += 1
            if job.hard or job.soft:
                self._queue_job(rank if self._has_devices(job) else rank + _LATER, job)

    def _has_devices(self, job: _Job) -> bool:
        """Whether all members are looked at before one of them is read: optics may come after a hundred counters."""
        return self.first and job.node.nx_class.lower() == "nxinstrument"

    def _queue_group(self, node: _Node, group: OpenGroup, keep: Keep, outer: _Job | None = None) -> None:
        add_link = partial(self.reader.linked.add, node.path)
        is_user = (
            (outer is not None and outer.scope.is_user) or node.nx_class.lower() == "nxuser" or _is_user_by_name(node)
        )
        scope = Scope(keep.reading, is_user or _is_user(node.name), is_user, self.budget, add_link)
        job = _Job(node, group, scope)
        job.within = to_within(node.nx_class, outer.within if outer is not None else "")
        job.is_telling = outer is not None and keep.rank <= TELLING
        self._queue_job(keep.rank, job)

    def _queue_job(self, rank: int, job: _Job) -> None:
        self.queued += 1
        heapq.heappush(self.queue, (rank, self.queued, job))

    def _set_members(self, job: _Job, members: Members) -> None:
        """Line up the members; in a large group those first that tell most, then its groups, then the rest."""
        job.names = {name for name, _ in members.hard}
        hard = members.hard
        self.addresses.update((job.node.path_of(name), address) for name, address in hard)
        if len(hard) > _TURN and job.scope.reading is not Reading.MOTORS:
            hard = sorted(hard, key=partial(self._order, job))
        job.hard, job.soft = hard[::-1], members.soft[::-1]

    def _order(self, job: _Job, member: tuple[bytes, int]) -> int:
        name, address = member
        if to_name(name) in FIRST_NAMES:
            return 0
        try:
            return 1 if isinstance(self.reader.open_member(job.group, job.node.path_of(name), address), _GROUPS) else 2
        except MEMBER_ERRORS:
            return 2

    def _read_turn(self, job: _Job) -> None:
        if job.names is None:
            self._set_members(job, self.reader.list_members(job.group, job.node))
        for _ in range(min(_TURN, len(job.hard) + len(job.soft))):
            if self.fields_left <= 0:
                self.reader.truncated["fields"] += len(job.hard) + len(job.soft)
                job.hard, job.soft = [], []
                return
            try:
                if job.hard:
                    self._read_hard(job, *job.hard.pop())
                else:
                    self._read_soft(job, *job.soft.pop())
            except MEMBER_ERRORS as error:
                raise_if_out_of_reach(error)
                self.reader.truncated["unreadable"] += 1

    def _read_hard(self, job: _Job, name: bytes, address: int) -> None:
        if self._add_seen(job, name, address):
            return
        # A snapshot of motors in a further entry repeats the first one's: what the scan moved is seen already.
        repeats = job.scope.reading is Reading.MOTORS and not self.first
        if repeats or is_repeated_snapshot(name, job.names or set()):
            return
        opened = self.reader.open_member(job.group, job.node.path_of(name), address)
        if isinstance(opened, _GROUPS):
            self._add_group(job, opened, name, address)
        elif opened is not None:
            self._add_field(job, opened, name, address)

    def _read_soft(self, job: _Job, name: bytes, target: bytes) -> None:
        """Read what a soft link leads to: BLISS lists measured channels and scanned motors by such links.

        A group is not read by way of a soft link: it stands in the record if it has a place of its own in the file.
        """
        path = to_absolute(target, job.node.raw_path)
        seen = self.addresses.get(path)
        found = (path, seen) if seen is not None else self.reader.library.find_target(path)
        if found is None or self._add_seen(job, name, found[1]):
            return
        opened = self.reader.open_member(self.reader.library.root, *found)
        if isinstance(opened, _GROUPS):
            job.node.groups.append(_Node(job.node.path_of(name), {}, found[1]))
        elif opened is not None:
            self._add_field(job, opened, name, found[1])

    def _add_seen(self, job: _Job, name: bytes, address: int) -> bool:
        """Add a member that was read under another name or path already; whether it was."""
        if address in self.reader.groups_seen:
            job.node.groups.append(_Node(job.node.path_of(name), {}, address))
            return True
        field = self.reader.fields_seen.get(address)
        if field is None:
            return False
        label = to_name(name)
        measured = job.scope.reading is Reading.HEADS and field.shape
        if measured or is_personal(label, job.scope.of_a_user):
            field = Field(label, field.dtype, field.shape, unit=field.unit, attributes=field.attributes)
        self._append(job, field if field.name == label else replace(field, name=label))
        return True

    def _add_field(self, job: _Job, opened: OpenField, name: bytes, address: int) -> None:
        field = read_field(opened, to_name(name), job.scope)
        self.reader.fields_seen[address] = field
        self._append(job, field)

    def _append(self, job: _Job, field: Field) -> None:
        job.node.fields.append(field)
        if job.is_telling and self.telling_left > 0:
            self.telling_left -= 1
        else:
            self.fields_left -= 1
        texts = field.value if isinstance(field.value, list) else [field.value]
        size = sum(len(text) if isinstance(text, str) else 8 for text in texts)
        self.reader.bytes_used += 60 + len(field.name) + size + _to_size(field.attributes)

    def _add_group(self, job: _Job, group: OpenGroup, name: bytes, address: int) -> None:
        path = job.node.path_of(name)
        if self.groups_left <= 0 or path.count(b"/") > self.budget.levels:
            self.reader.truncated["levels" if self.groups_left > 0 else "groups"] += 1
            return
        self.groups_left -= 1
        node = self.reader.make_node(group, path)
        job.node.groups.append(node)
        self.reader.groups_seen[address] = node
        keep = self._find_keep(node, job.within)
        if keep.reading is not Reading.NAME:
            self._queue_group(node, group, keep, job)

    def _find_keep(self, node: _Node, within: str) -> Keep:
        """Return what is kept of a group, the moved motors of a further entry before its many detectors."""
        keep = find_keep(node.nx_class, node.name, within)
        if self.first or not self.movers_left or node.nx_class.lower() != "nxpositioner":
            return keep
        self.movers_left -= 1
        return Keep(keep.reading, _EARLY)


def _is_user_by_name(node: _Node) -> bool:
    return not node.nx_class and _USER.fullmatch(node.name) is not None


def _is_user(name: str) -> bool:
    return "user" in name.lower()


def _to_size(attributes: dict[str, Value]) -> int:
    """Return about how many bytes attributes add to the encoded record."""
    return sum(len(name) + len(str(value)) + 6 for name, value in attributes.items())
