"""What the names of folders say: proposal, visit, beamline, collection, dataset."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from ingest.mapping.rules import Rules


PARTS: Final = ("proposal", "visit", "beamline", "collection", "dataset")
_PART: Final = re.compile(r"\{([^\W\d]\w*)\}")


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


def to_path_form(pattern: str, parts: dict[str, str]) -> re.Pattern[str]:
    """Return a path pattern as a regular expression that matches from any folder on, and whatever follows.

    `*` stands for anything within one name. If it ends with a slash, its last part is a folder too, never the file.

    Raises ValueError if the same part is named twice or a brace is left open.
    """
    pieces = _PART.split(pattern.strip("/"))
    if any("{" in piece or "}" in piece for piece in pieces[::2]):
        raise ValueError(f"path pattern {pattern!r} has a brace that does not enclose a name")
    if len(set(pieces[1::2])) < len(pieces[1::2]):
        raise ValueError(f"path pattern {pattern!r} names a part twice")
    body = "".join(
        f"(?P<{piece}>{parts.get(piece, '[^/]+')})" if odd else re.escape(piece).replace(r"\*", "[^/]*")
        for piece, odd in zip(pieces, (index % 2 for index in range(len(pieces))), strict=True)
    )
    end = "(?=/)" if pattern.endswith("/") else "(?=/|$)"
    return re.compile(f"(?:^|/){body}{end}", re.IGNORECASE)


def list_parts(pattern: str) -> list[str]:
    """Return the names in braces of a path pattern."""
    return _PART.findall(pattern)
