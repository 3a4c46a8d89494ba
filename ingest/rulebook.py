"""The rule files at hand: which of them holds for a record, and what a path tells by them."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cache, cached_property
from hashlib import blake2b
from importlib.metadata import version
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from ingest.mapping.mapping import to_drafts
from ingest.mapping.paths import PathMatch, match_path, to_master_names
from ingest.mapping.patients import to_kept
from ingest.mapping.rules import Rules, choose_rules, load_rules, shipped_rules

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from ingest.catalogue.model import Root
    from ingest.mapping.drafts import DatasetDraft
    from ingest.nexus.record import MasterRecord

LACKING = "~"
"""Stands at the end of the digest that a record is stored with, if it may lack what the rules ask for."""


@dataclass(frozen=True, slots=True, eq=False)
class RulesAtHand:
    """All that the mapping of one root's masters depends on; of one moment, so that it belongs together."""

    root_id: int
    own: Rules | None
    """Those that the root names."""
    shipped: tuple[Rules, ...]
    timezone: str

    @property
    def digest(self) -> str:
        """A short text that differs when a record may be mapped to something else."""
        own = self.own.version if self.own else ""
        shipped = [f"{rules.name} {rules.version}" for rules in self.shipped]
        parts = [str(self.root_id), own, *shipped, self.timezone, _find_release()]
        return blake2b("\n".join(parts).encode(), digest_size=20).hexdigest()

    def choose(self, record: MasterRecord) -> Rules:
        """Return the root's own rules, else those that recognise the file best, else the NeXus default."""
        return self.own or choose_rules(record, self.shipped)

    def to_draft(self, record: MasterRecord) -> DatasetDraft:
        """Return what the record says; it is one of `to_kept`."""
        return to_drafts(record, self.choose(record), ZoneInfo(self.timezone))

    def to_kept(self, record: MasterRecord) -> MasterRecord:
        """Return the record as it may be stored: itself, or without what tells of a patient and no rule asks for."""
        return to_kept(record, self.choose(record).plan)

    def match(self, path: Path) -> PathMatch | None:
        """Return what the folder names say by the first rule file that knows such a path; None if none does."""
        return next((m for rules in self.list_all() if (m := match_path(str(path), rules)) is not None), None)

    def find_master_name(self, folder: str, files: Sequence[str]) -> str | None:
        """Return which of a folder's files is the master of a dataset that owns the whole folder; None if none does."""
        name = os.path.basename(folder)
        for rules in self.list_all():
            found = next((wanted for wanted in to_master_names(name, rules) if wanted in files), None)
            if found is not None:
                match = match_path(f"{folder}/{found}", rules)
                if match is not None and match.dataset is not None:
                    return found
        return None

    def list_all(self) -> tuple[Rules, ...]:
        """Return the rule files, the root's own first."""
        return (self.own, *self.shipped) if self.own else self.shipped


class Rulebook:
    """All shipped rule files, and those that roots name. Loading them takes 0.2 s, when they are first asked for."""

    @cached_property
    def shipped(self) -> tuple[Rules, ...]:
        """The rule files that come with nxcat, the NeXus default last."""
        return shipped_rules()

    def get(self, name_or_path: str) -> Rules:
        """Return the rules of that name or path; raises RuleFileError if they cannot be used."""
        return load_rules(name_or_path)

    def open(self, choice: str | None, timezone: str, root_id: int = 0) -> RulesAtHand:
        """Return the rules at hand, with those that were chosen first; raises RuleFileError if they cannot be used."""
        return RulesAtHand(root_id, self.get(choice) if choice else None, self.shipped, timezone)

    def open_for(self, root: Root) -> RulesAtHand:
        """Return the rules at hand for a root's masters; raises RuleFileError if its own cannot be used."""
        return self.open(root.rules, root.timezone, root.id)


@cache
def _find_release() -> str:
    return version("nxcat")
