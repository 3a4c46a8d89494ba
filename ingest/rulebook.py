"""The rule files at hand, loaded once: which of them holds for a record, and what a path tells by them."""

from __future__ import annotations

import os
from functools import cached_property
from typing import TYPE_CHECKING

from ingest.mapping.paths import PathMatch, match_path, to_master_names
from ingest.mapping.rules import Rules, choose_rules, load_rules, shipped_rules

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from ingest.nexus.record import MasterRecord


class Rulebook:
    """All shipped rule files, and those that roots name. Loading them takes 0.1 s, when they are first asked for."""

    @cached_property
    def shipped(self) -> tuple[Rules, ...]:
        """The rule files that come with nxcat, the NeXus default last."""
        return shipped_rules()

    def get(self, name_or_path: str) -> Rules:
        """Return the rules of that name or path; raises RuleFileError if they cannot be used."""
        return load_rules(name_or_path)

    def choose(self, record: MasterRecord, root_choice: str | None) -> Rules:
        """Return the root's own rules, else those that recognise the file best, else the NeXus default."""
        return choose_rules(record, self.shipped, root_choice)

    def match(self, path: Path) -> PathMatch | None:
        """Return what the folder names say by the first rule file that knows such a path; None if none does."""
        return next((m for rules in self.shipped if (m := match_path(str(path), rules)) is not None), None)

    def find_master_name(self, folder: str, files: Sequence[str]) -> str | None:
        """Return which of a folder's files is the master of a dataset that owns the whole folder; None if none does."""
        name = os.path.basename(folder)
        for rules in self.shipped:
            found = next((wanted for wanted in to_master_names(name, rules) if wanted in files), None)
            if found is not None:
                match = match_path(f"{folder}/{found}", rules)
                if match is not None and match.dataset is not None:
                    return found
        return None
