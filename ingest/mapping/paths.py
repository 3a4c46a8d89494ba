"""What the names of folders say: proposal, visit, beamline, collection, dataset."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from ingest.mapping.rules import Rules


PARTS: Final = ("proposal", "visit", "beamline", "collection", "dataset")


@dataclass(frozen=True, slots=True)
class PathMatch:
    """What one pattern found in a path; a part that the pattern does not name is None."""

    pattern: str
    proposal: str | None = None
    visit: str | None = None
    beamline: str | None = None
    collection: str | None = None
    dataset: str | None = None


def match_path(relative_path: str, rules: Rules) -> PathMatch | None:
    """Return what the rules' first fitting pattern says of a path below a root, or None if none fits.

    A pattern may begin at any folder, so it does not matter how far above the root stands.
    """
    path = relative_path.replace("\\", "/")
    for plan in rules.plan.paths:
        found = plan.form.search(path)
        if found is not None:
            parts = found.groupdict()
            return PathMatch(plan.pattern, **{name: parts.get(name) for name in PARTS})
    return None


def to_master_names(folder: str, rules: Rules) -> tuple[str, ...]:
    """Return the names that the master in a dataset's folder may have, the likeliest first; none if unknown."""
    return tuple(name.replace("{folder}", folder) for name in rules.file.masters)
