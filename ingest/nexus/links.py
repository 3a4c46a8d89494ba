"""Other files that a master refers to: listed, deduplicated, counted; nothing of theirs is looked up."""

from __future__ import annotations

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

    def add_external(self, path: str, links: list[tuple[bytes, bytes, bytes]]) -> None:
        """Add the external links of the group at `path`."""
        for name, file, target in links:
            # The file is looked for by its name, which stays as it is.
            self.add(path, to_name(name), LinkKind.EXTERNAL, file.decode("utf-8", "replace"), to_name(target))

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
