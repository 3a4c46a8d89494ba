"""Other files that a master refers to: listed, deduplicated, counted; nothing of theirs is looked up."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ingest.nexus.record import LinkedFile, LinkKind
from ingest.nexus.values import to_name

if TYPE_CHECKING:
    from collections import Counter

    from ingest.nexus.budget import Budget


class LinkedFiles:
    """The files that were found so far, each once for each way of referring to it."""

    def __init__(self, budget: Budget, truncated: Counter[str]) -> None:
        self._budget = budget
        self._truncated = truncated
        self._found: dict[tuple[str, str], LinkedFile] = {}
        self._others: dict[tuple[str, str], set[str]] = {}
        self._other_count = 0

    def add_external(self, path: str, links: list[tuple[bytes, bytes, bytes]]) -> None:
        """Add the external links of the group at `path`."""
        for name, file, target in links:
            # The file is looked for by its name, which stays as it is.
            self.add(path, to_name(name), LinkKind.EXTERNAL, file.decode("utf-8", "replace"), to_name(target))

    def add(self, path: str, name: str, kind: LinkKind, file: str, target: str) -> None:
        """Add one file that the member `name` of the group at `path` refers to."""
        place = f"{path.rstrip('/')}/{name}"
        known = self._found.get((kind, file))
        if known is not None:
            self._add_entry(known, to_entry(place))
            return
        if len(self._found) >= self._budget.linked_files:
            self._truncated["linked_files"] += 1
            return
        self._found[kind, file] = LinkedFile(place, kind, file, target)

    def _add_entry(self, known: LinkedFile, entry: str) -> None:
        """Note a further entry that refers to a known file."""
        others = self._others.setdefault((known.kind, known.file), set())
        if entry == to_entry(known.path) or entry in others:
            return
        if self._other_count >= self._budget.shared_links:
            self._truncated["shared_links"] += 1
            return
        self._other_count += 1
        others.add(entry)

    def to_tuple(self) -> tuple[LinkedFile, ...]:
        """Return them by kind and name."""
        return tuple(
            replace(self._found[key], other_entries=tuple(sorted(self._others.get(key, ()))))
            for key in sorted(self._found)
        )


def to_entry(path: str) -> str:
    """Return the path of the entry that a path lies in."""
    return f"/{path.split('/')[1]}"
