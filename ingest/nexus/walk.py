"""The walk through an open master: which groups are read, in which order, until the budget ends."""

from __future__ import annotations

import heapq
from collections import Counter
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from h5py import h5d, h5f, h5g, h5l, h5o

from ingest.nexus.classes import FIRST_NAMES, Keep, Reading, find_keep, is_entry, is_repeated_snapshot, to_class
from ingest.nexus.fields import Scope, read_field
from ingest.nexus.record import Field, FileKind, Group, LinkedFile, LinkKind, MasterRecord
from ingest.nexus.values import MEMBER_ERRORS, read_attributes, to_name

if TYPE_CHECKING:
    from ingest.nexus.budget import Budget
    from ingest.nexus.record import Value

_TURN = 64
"""Members of a group that are read before the others have had their turn."""
_LATER = 10
"""Added to the rank of a group's further turns, so that they come after the first turn of all others."""
_SOFT_STEPS = 8


def read_tree(fid: h5f.FileID, budget: Budget, swmr: bool) -> MasterRecord:
    """Return the record of an open file: its entries first, then what the root holds beside them."""
    reader = _Reader(fid, budget)
    root, entries = reader.read_root()
    record_root = reader.to_group(root, root.path, set())
    groups = tuple(reader.to_group(entry, entry.path, set()) for entry in entries)
    linked = tuple(reader.linked[key] for key in sorted(reader.linked))
    kind = FileKind.NEXUS if groups else FileKind.COLLECTION if reader.only_links else FileKind.OTHER
    return MasterRecord(kind, record_root, groups, linked, dict(sorted(reader.truncated.items())), swmr)


class _Node:
    """A group while it is being read; `same_as` is the address of an object that is read under another path."""

    __slots__ = ("attributes", "fields", "groups", "nx_class", "path", "same_as")

    def __init__(self, path: str, attributes: dict[str, Value], same_as: int | None = None) -> None:
        self.path = path
        self.nx_class = to_class(attributes.pop("NX_class", None))
        self.attributes = attributes
        self.fields: list[Field] = []
        self.groups: list[_Node] = []
        self.same_as = same_as


class _Links:
    """The members of one group by kind of link, each in order of names, so that equal files give equal records."""

    __slots__ = ("external", "hard", "lost", "soft")

    def __init__(self, gid: h5g.GroupID, most: int) -> None:
        self.hard: list[tuple[bytes, int]] = []
        self.soft: list[bytes] = []
        self.external: list[bytes] = []
        self.lost = 0

        def add(name: bytes, info: h5l.LinkInfo) -> bool | None:
            if info.type == h5l.TYPE_HARD:
                self.hard.append((name, info.u))
            elif info.type == h5l.TYPE_SOFT:
                self.soft.append(name)
            elif info.type == h5l.TYPE_EXTERNAL:
                self.external.append(name)
            return len(self.hard) + len(self.soft) + len(self.external) >= most or None  # None goes on

        if gid.links.iterate(add, info=True):
            self.lost = gid.get_num_objs() - most


class _Reader:
    """One reading of one file: what was seen already, what the record holds and how much is left of its budget."""

    def __init__(self, fid: h5f.FileID, budget: Budget) -> None:
        self.budget = budget
        self.root_id = h5g.open(fid, b"/")
        self.groups_seen: dict[int, _Node] = {}
        self.fields_seen: dict[int, Field] = {}
        self.linked: dict[tuple[str, str], LinkedFile] = {}
        self.truncated: Counter[str] = Counter()
        self.used = 0
        self.copies = 0
        self.only_links = False
        self.entry_addresses: set[int] = set()
        self.hard_paths: set[bytes] = set()

    def read_root(self) -> tuple[_Node, list[_Node]]:
        """Return the root's node and those of its entries, read."""
        attributes, lost = read_attributes(self.root_id, self.budget)
        self.count("attributes", lost)
        root = _Node("/", attributes)
        links = _Links(self.root_id, self.budget.members)
        self.count("members", links.lost)
        self.groups_seen[h5o.get_info(self.root_id).addr] = root
        self.add_external(self.root_id, "", links.external)
        entries, others = self._read_entries(root, links.hard)
        limit = self.budget.entry_fields if entries else self.budget.first_entry_fields
        tree = _Tree(self, limit, first=not entries)
        tree.read(root, self.root_id, Keep(Reading.SMALL, 0), others, links.soft)
        self.only_links = bool(links.external) and not entries and not root.groups
        return root, entries

    def _read_entries(self, root: _Node, hard: list[tuple[bytes, int]]) -> tuple[list[_Node], list[tuple[bytes, int]]]:
        entries: list[_Node] = []
        others = []
        for name, address in hard:
            try:
                oid = h5o.open(self.root_id, name)
                node = self.make_node(oid, "/" + to_name(name)) if isinstance(oid, h5g.GroupID) else None
            except MEMBER_ERRORS:
                self.count("unreadable")
                continue
            if node is None or not is_entry(node.nx_class):
                others.append((name, address))
            elif address in self.entry_addresses:
                root.groups.append(_Node(node.path, {"target": self.groups_seen[address].path}))
            elif len(entries) >= self.budget.entries:
                self.count("entries")
            else:
                self.entry_addresses.add(address)
                self._read_entry(node, oid, address, len(entries))
                entries.append(node)
        return entries, others

    def _read_entry(self, node: _Node, gid: h5g.GroupID, address: int, index: int) -> None:
        self.groups_seen[address] = node
        spare = index > 0 and self.used > self.budget.record_bytes // 2
        limit = self.budget.entry_fields if index else self.budget.first_entry_fields
        tree = _Tree(self, self.budget.spare_entry_fields if spare else limit, first=index == 0, alone=spare)
        links = _Links(gid, self.budget.members)
        self.count("members", links.lost)
        self.add_external(gid, node.path, links.external)
        tree.read(node, gid, find_keep(node.nx_class, node.path), links.hard, links.soft)

    def make_node(self, gid: h5g.GroupID, path: str) -> _Node:
        """Return the node of an open group with its class and attributes."""
        attributes, lost = read_attributes(gid, self.budget, "user" in path.rpartition("/")[2].lower())
        self.count("attributes", lost)
        return _Node(path, attributes)

    def count(self, cap: str, lost: int = 1) -> None:
        """Count what was left out under the name of its cap."""
        if lost:
            self.truncated[cap] += lost

    def add_external(self, gid: h5g.GroupID, path: str, names: list[bytes]) -> None:
        """List external links; nothing of theirs is looked up."""
        for name in names:
            if len(self.linked) >= self.budget.linked_files:
                self.count("linked_files")
                continue
            file, target = gid.links.get_val(name)
            self.add_link(path, to_name(name), LinkKind.EXTERNAL, to_name(file), to_name(target))

    def add_link(self, path: str, name: str, kind: LinkKind, file: str, target: str) -> None:
        """List another file once for each way in which it is referred to."""
        if (kind, file) in self.linked:
            return
        if len(self.linked) >= self.budget.linked_files:
            self.count("linked_files")
            return
        self.linked[kind, file] = LinkedFile(f"{path}/{name}", kind, file, target)
        self.used += 60 + len(path) + len(file)

    def find_target(self, path: bytes, steps: int = _SOFT_STEPS) -> tuple[bytes, int] | None:
        """Return the plain path and the address that a path through soft links ends at, if that is in this file.

        libhdf5 would follow an external link in the middle of the path, so each part is looked at before it is used.
        """
        parts = [part for part in path.split(b"/") if part not in {b"", b"."}]
        plain = b""
        for number, part in enumerate(parts, start=1):
            here = plain + b"/" + part
            last = number == len(parts)
            if here in self.hard_paths and not last:
                plain = here
                continue
            info = self.root_id.links.get_info(here)
            if info.type == h5l.TYPE_SOFT and steps:
                step = self.root_id.links.get_val(here)
                rest = b"/".join([step if step.startswith(b"/") else plain + b"/" + step, *parts[number:]])
                return self.find_target(rest, steps - 1)
            if info.type != h5l.TYPE_HARD:
                return None
            if last:
                return here, info.u
            self.hard_paths.add(here)
            plain = here
        return None

    def to_group(self, node: _Node, path: str, above: set[int]) -> Group:
        """Return the finished group; one that was read under another path is copied here, unless it would recur."""
        source = node if node.same_as is None else self.groups_seen.get(node.same_as)
        if source is None:
            return Group(path, node.nx_class, node.attributes)
        attributes = source.attributes
        if source is not node:
            attributes = {"target": source.path, **attributes}
            self.copies += 1
            recurs = id(source) in above or node.same_as in self.entry_addresses or source.path == "/"
            if recurs or self.copies > self.budget.groups or path.count("/") > self.budget.levels:
                return Group(path, source.nx_class, attributes)
        above.add(id(source))
        groups = tuple(
            self.to_group(child, f"{path.rstrip('/')}/{child.path.rpartition('/')[2]}", above)
            for child in source.groups
        )
        above.discard(id(source))
        return Group(path, source.nx_class, attributes, tuple(source.fields), groups)


class _Job:
    """A group whose members are being read, and those that are left."""

    __slots__ = ("gid", "hard", "names", "node", "scope", "soft")

    def __init__(self, node: _Node, gid: h5g.GroupID, scope: Scope) -> None:
        self.node = node
        self.gid = gid
        self.scope = scope
        self.hard: list[tuple[bytes, int]] | None = None
        self.soft: list[bytes] = []
        self.names: set[str] = set()


class _Tree:
    """The walk through one entry: the most telling groups first, each a turn, until its fields are used up."""

    def __init__(self, reader: _Reader, fields: int, *, first: bool, alone: bool = False) -> None:
        self.reader = reader
        self.budget = reader.budget
        self.fields_left = fields
        self.groups_left = 0 if alone else reader.budget.groups
        self.first = first
        self.queue: list[tuple[int, int, _Job]] = []
        self.queued = 0

    def read(self, node: _Node, gid: h5g.GroupID, keep: Keep, hard: list[tuple[bytes, int]], soft: list[bytes]) -> None:
        """Read the tree below `node`, whose members are known already."""
        job = self._queue(node, gid, keep)
        self._set_members(job, hard, soft)
        while self.queue:
            rank, _, job = heapq.heappop(self.queue)
            if self.fields_left <= 0 or self.reader.used > self.budget.record_bytes:
                self.reader.count("groups")
                continue
            self._read_turn(job)
            if job.hard or job.soft:
                self._push(rank + _LATER, job)

    def _queue(self, node: _Node, gid: h5g.GroupID, keep: Keep) -> _Job:
        of_a_user = node.nx_class.lower() == "nxuser" or "user" in node.path.rpartition("/")[2].lower()
        add_link = partial(self.reader.add_link, "" if node.path == "/" else node.path)
        job = _Job(node, gid, Scope(keep.reading, of_a_user, self.budget, add_link))
        self._push(keep.rank, job)
        return job

    def _push(self, rank: int, job: _Job) -> None:
        self.queued += 1
        heapq.heappush(self.queue, (rank, self.queued, job))

    def _set_members(self, job: _Job, hard: list[tuple[bytes, int]], soft: list[bytes]) -> None:
        job.names = {to_name(name) for name, _ in hard}
        if len(hard) > _TURN:
            hard = sorted(hard, key=lambda member: to_name(member[0]) not in FIRST_NAMES)
        job.hard, job.soft = hard[::-1], soft[::-1]

    def _read_turn(self, job: _Job) -> None:
        if job.hard is None:
            links = _Links(job.gid, self.budget.members)
            self.reader.count("members", links.lost)
            self.reader.add_external(job.gid, job.node.path, links.external)
            self._set_members(job, links.hard, links.soft)
        for _ in range(_TURN):
            if not job.hard and not job.soft:
                return
            if self.fields_left <= 0:
                self.reader.count("fields", len(job.hard or ()) + len(job.soft))
                job.hard, job.soft = [], []
                return
            try:
                if job.hard:
                    self._read_hard(job, *job.hard.pop())
                else:
                    self._read_soft(job, job.soft.pop())
            except MEMBER_ERRORS:
                self.reader.count("unreadable")

    def _read_hard(self, job: _Job, name: bytes, address: int) -> None:
        label = to_name(name)
        if address in self.reader.groups_seen:
            job.node.groups.append(_Node(f"{job.node.path.rstrip('/')}/{label}", {}, address))
        elif address in self.reader.fields_seen:
            self._add_field(job, label, address)
        elif not is_repeated_snapshot(label, job.names):
            oid = h5o.open(job.gid, name)
            if isinstance(oid, h5g.GroupID):
                self._add_group(job, oid, label, address)
            elif isinstance(oid, h5d.DatasetID) and (self.first or job.scope.reading is not Reading.MOTORS):
                self.reader.fields_seen[address] = read_field(oid, label, job.scope)
                self._add_field(job, label, address)

    def _add_field(self, job: _Job, label: str, address: int) -> None:
        field = self.reader.fields_seen[address]
        if job.scope.reading is Reading.HEADS and field.shape:
            field = Field(label, field.dtype, field.shape, unit=field.unit, attributes=field.attributes)
        elif field.name != label:
            field = replace(field, name=label)
        job.node.fields.append(field)
        self.fields_left -= 1
        self.reader.used += _to_size(field)

    def _add_group(self, job: _Job, gid: h5g.GroupID, label: str, address: int) -> None:
        path = f"{job.node.path.rstrip('/')}/{label}"
        if self.groups_left <= 0 or path.count("/") > self.budget.levels:
            self.reader.count("levels" if self.groups_left > 0 else "groups")
            return
        self.groups_left -= 1
        node = self.reader.make_node(gid, path)
        job.node.groups.append(node)
        self.reader.groups_seen[address] = node
        self.reader.used += 60 + len(path)
        keep = find_keep(node.nx_class, label)
        if keep.reading is not Reading.NAME:
            self._queue(node, gid, keep)

    def _read_soft(self, job: _Job, name: bytes) -> None:
        """Read what a soft link of this file leads to; BLISS lists its channels and scanned motors by such links."""
        label = to_name(name)
        target = job.gid.links.get_val(name)
        if not target.startswith(b"/"):
            target = job.node.path.encode() + b"/" + target
        found = self.reader.find_target(target)
        if found is None:
            return
        path, address = found
        if address in self.reader.fields_seen:
            self._add_field(job, label, address)
            return
        oid = None if address in self.reader.groups_seen else h5o.open(self.reader.root_id, path)
        if isinstance(oid, h5d.DatasetID):
            self.reader.fields_seen[address] = read_field(oid, label, job.scope)
            self._add_field(job, label, address)
        else:
            job.node.groups.append(_Node(f"{job.node.path.rstrip('/')}/{label}", {}, address))


def _to_size(field: Field) -> int:
    """Return about how many bytes a field adds to the encoded record."""
    value = field.value
    size = 60 + len(field.name) + (len(value) if isinstance(value, str) else 8)
    if isinstance(value, list):
        size += sum(len(x) if isinstance(x, str) else 8 for x in value)
    return size + sum(len(key) + len(str(text)) + 6 for key, text in field.attributes.items())
