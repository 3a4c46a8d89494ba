"""The links of a group: listed without following any, and followed only as far as they stay inside the file.

libhdf5 opens the other file whenever a path passes through an external link, also in the middle of a soft link. So
every part of a path is looked at before it is used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from h5py import h5g, h5l

from ingest.nexus.record import LinkedFile, LinkKind
from ingest.nexus.values import to_name

if TYPE_CHECKING:
    from collections import Counter

    from ingest.nexus.budget import Budget

_SOFT_STEPS = 8
"""Soft links that lead to soft links before it is taken for a loop."""


class Members:
    """The links of one group by kind, each in order of names, so that equal files give equal records."""

    __slots__ = ("external", "hard", "lost", "soft")

    def __init__(self, gid: h5g.GroupID, most: int) -> None:
        self.hard: list[tuple[bytes, int]] = []
        """Name and address: two names of one object have the same address."""
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
            return True if len(self) >= most else None  # None goes on

        gid.links.iterate(add, info=True)
        if len(self) >= most:
            self.lost = gid.get_num_objs() - most

    def __len__(self) -> int:
        return len(self.hard) + len(self.soft) + len(self.external)


class LinkedFiles:
    """Other files that the master refers to, each once for each way of referring; nothing of theirs is looked up."""

    def __init__(self, budget: Budget, truncated: Counter[str]) -> None:
        self._budget = budget
        self._truncated = truncated
        self._found: dict[tuple[str, str], LinkedFile] = {}

    def add_external(self, gid: h5g.GroupID, path: str, names: list[bytes]) -> None:
        """Add the external links of a group. Past the cap not even their targets are read."""
        for number, name in enumerate(names):
            if len(self._found) >= self._budget.linked_files:
                self._truncated["linked_files"] += len(names) - number
                return
            file, target = gid.links.get_val(name)
            self.add(path, to_name(name), LinkKind.EXTERNAL, to_name(file), to_name(target))

    def add(self, path: str, name: str, kind: LinkKind, file: str, target: str) -> None:
        """Add one file that the member `name` of the group at `path` refers to."""
        if (kind, file) in self._found:
            return
        if len(self._found) >= self._budget.linked_files:
            self._truncated["linked_files"] += 1
            return
        self._found[kind, file] = LinkedFile(f"{path.rstrip('/')}/{name}", kind, file, target)

    def to_tuple(self) -> tuple[LinkedFile, ...]:
        """Return them by kind and name."""
        return tuple(self._found[key] for key in sorted(self._found))


class SoftLinks:
    """Resolves soft links within one file."""

    def __init__(self, root: h5g.GroupID) -> None:
        self._links = root.links
        self._hard: set[bytes] = set()
        """Paths that were found to be hard links all the way."""

    def find_target(self, path: bytes, steps: int = _SOFT_STEPS) -> tuple[bytes, int] | None:
        """Return the plain path and the address where `path` ends; None if it dangles or leaves this file."""
        parts = [part for part in path.split(b"/") if part not in {b"", b"."}]
        plain = b""
        for number, part in enumerate(parts, start=1):
            here = plain + b"/" + part
            if here not in self._hard or number == len(parts):
                if not self._links.exists(here):
                    return None
                info = self._links.get_info(here)
                if info.type == h5l.TYPE_SOFT and steps:
                    return self.find_target(self._splice(plain, here, parts[number:]), steps - 1)
                if info.type != h5l.TYPE_HARD:
                    return None
                if number == len(parts):
                    return here, info.u
                self._hard.add(here)
            plain = here
        return None

    def _splice(self, group: bytes, link: bytes, rest: list[bytes]) -> bytes:
        """Return the path that a soft link in `group` and the parts behind it lead to."""
        target: bytes = self._links.get_val(link)
        return b"/".join([target if target.startswith(b"/") else group + b"/" + target, *rest])
