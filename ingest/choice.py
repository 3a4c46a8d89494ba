"""What a root says of which folders and files are looked at."""

from __future__ import annotations

import fnmatch
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import os

    from ingest.catalogue.model import Root

EXTENSIONS = (".h5", ".hdf5", ".hdf", ".nxs", ".nx5", ".nx", ".nxspe", ".cxi", ".he5")


class RootChoice:
    """Which folders and files of a root are looked at."""

    def __init__(self, root: Root) -> None:
        self._below = len(root.path.rstrip("/")) + 1
        self._include = _to_form(root.include)
        self._exclude = _to_form(root.exclude)

    def excludes(self, entry: os.DirEntry[str]) -> bool:
        """Return whether the root says to pass it over, by its name or by its path below the root."""
        form = self._exclude
        return form is not None and bool(form.match(entry.name) or form.match(entry.path[self._below :]))

    def is_master(self, entry: os.DirEntry[str]) -> bool:
        """Return whether a file may be a master, by its name."""
        form = self._include
        is_named_so = form.match(entry.name) if form else entry.name.lower().endswith(EXTENSIONS)
        return bool(is_named_so) and not self.excludes(entry)


def _to_form(patterns: list[str]) -> re.Pattern[str] | None:
    return re.compile("|".join(map(fnmatch.translate, patterns))) if patterns else None
