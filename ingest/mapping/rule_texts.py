"""Rule files as texts: read with all that they extend, merged into one table, and the place where each key is said."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from itertools import accumulate
from os.path import normpath
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias

from ingest.catalogue.errors import CatalogueError

if TYPE_CHECKING:
    from collections.abc import Sequence

SHIPPED: Final = "ingest.mapping.rule_files"
SUFFIX: Final = ".toml"
"""What a path ends with; all else is the name of a file that is shipped."""
Key: TypeAlias = "tuple[str | int, ...]"
Stamp: TypeAlias = tuple[int, int, int] | None
_OWN: Final = frozenset({"recognise"})
"""Keys that are never inherited."""
_PLACE: Final = re.compile(r" \(at (?:line (?P<line>\d+), column \d+|end of document)\)$")
_CLOSING: Final = ("", "\n]")


@dataclass(frozen=True, slots=True)
class RuleText:
    """One rule file as it stands; `source` is the name or the path by which it was found."""

    source: str
    text: str
    table: dict[str, Any]


class RuleFault(NamedTuple):
    """One fault: the file and the line (from 1) where it stands, the key, what is wrong, and what would do."""

    file: str
    line: int | None
    key: str
    problem: str
    advice: str = ""

    def __str__(self) -> str:
        """Return it in one line, without the file."""
        place = ", ".join(filter(None, [f"line {self.line}" if self.line else "", self.key]))
        return ": ".join(filter(None, [place, self.problem, self.advice]))


class RuleFileError(CatalogueError):
    """A rule file is missing, is no TOML, or does not keep to the schema."""

    def __init__(self, source: str, faults: Sequence[RuleFault]) -> None:
        self.source, self.faults = source, tuple(faults)
        said = "; ".join(str(fault) if fault.file == source else f"{fault.file}: {fault}" for fault in faults)
        super().__init__(f"rule file {source}: {said} (docs/rule-files.md describes the schema)")


def read_chain(name_or_path: str, stamps: dict[str, Stamp]) -> tuple[RuleText, ...]:
    """Return the rule file and those that it rests on, itself first; the stamp of each that is no shipped one is noted.

    Raises RuleFileError if one is missing or no TOML, or rests on itself.
    """
    chain: list[RuleText] = []
    wanted = name_or_path
    while wanted:
        if any(wanted == text.source for text in chain):
            told = " -> ".join([*(text.source for text in chain), wanted])
            raise RuleFileError(wanted, [RuleFault(wanted, None, "extends", f"extends itself: {told}")])
        if wanted.endswith(SUFFIX):
            stamps[wanted] = to_stamp(wanted)
        chain.append(_read(wanted))
        wanted = _find_extended(chain[-1])
    return tuple(chain)


def merge(chain: Sequence[RuleText]) -> dict[str, Any]:
    """Return what the files say together, the first one above the others.

    Tables merge, lists come before those of the file below, all else replaces it; a table that says `replace` takes
    nothing from below.
    """
    merged = chain[-1].table
    for text in reversed(chain[:-1]):
        merged = _merge(text.table, {key: value for key, value in merged.items() if key not in _OWN})
    return merged


def find_place(chain: Sequence[RuleText], key: Key) -> tuple[RuleText, Key]:
    """Return which file says what stands at a key of the merged table, and its key there.

    Of a key that nobody says, the place of the innermost table that holds it.
    """
    nodes: list[_Node] = [_Node(text, text.table, ()) for text in chain]
    for part in key:
        below = _find_item(nodes, part) if isinstance(part, int) else _find_members(nodes, part)
        if not below:
            break
        nodes = below
    return nodes[0].text, nodes[0].key


def find_line(text: str, key: Key) -> int | None:
    """Return the line, from 1, on which the text says what stands at the key, or the innermost table that holds it.

    Told by which is the shortest beginning of the text that says it, since no parser of TOML tells lines.
    """
    found: int | None = None
    depth, begun = 0, 1
    for number, beginning in enumerate(accumulate(text.splitlines(keepends=True)), 1):
        table = _parse_beginning(beginning)
        if table is None:
            continue
        known = _count_known(table, key)
        if known > depth:
            found, depth = begun, known
        begun = number + 1
    return found


def to_stamp(place: str) -> Stamp:
    """Return what changes with the file; None if it is not there."""
    try:
        stat = Path(place).stat()
    except OSError:
        return None
    return stat.st_mtime_ns, stat.st_size, stat.st_ino


class _Node(NamedTuple):
    """What one file says at a key."""

    text: RuleText
    value: Any
    key: Key


_parse = lru_cache(maxsize=32)(tomllib.loads)
"""Nearly all that is shipped extends one file, which is parsed once."""


def _read(name_or_path: str) -> RuleText:
    is_path = name_or_path.endswith(SUFFIX)
    place = Path(name_or_path) if is_path else files(SHIPPED).joinpath(f"{Path(name_or_path).name}{SUFFIX}")
    try:
        text = place.read_text(encoding="utf-8")
        return RuleText(name_or_path, text, _parse(text))
    except FileNotFoundError as error:
        advice = f"a path ends with {SUFFIX}, a name is one of {', '.join(list_shipped())}"
        raise RuleFileError(
            name_or_path, [RuleFault(name_or_path, None, "", "there is no such file", advice)]
        ) from error
    except tomllib.TOMLDecodeError as error:
        raise RuleFileError(name_or_path, [_to_syntax_fault(name_or_path, text, str(error))]) from error
    except (OSError, UnicodeDecodeError) as error:
        raise RuleFileError(name_or_path, [RuleFault(name_or_path, None, "", str(error))]) from error


def list_shipped() -> list[str]:
    """Return the names of the rule files that come with the package."""
    return sorted(Path(item.name).stem for item in files(SHIPPED).iterdir() if item.name.endswith(SUFFIX))


def _to_syntax_fault(source: str, text: str, message: str) -> RuleFault:
    lines = text.splitlines()
    found = _PLACE.search(message)
    line = int(found["line"]) if found and found["line"] else len(lines)
    shown = lines[line - 1].strip() if 0 < line <= len(lines) else ""
    return RuleFault(source, line, "", f"no TOML: {_PLACE.sub('', message)}", f"it says: {shown}" if shown else "")


def _find_extended(text: RuleText) -> str:
    extended = text.table.get("extends", "")
    if not isinstance(extended, str):
        return ""  # the schema refuses it
    # One spelling of a path, so that a file that rests on itself is known again.
    return normpath(Path(text.source).parent / extended) if extended.endswith(SUFFIX) else extended


def _merge(upper: dict[str, Any], lower: dict[str, Any]) -> dict[str, Any]:
    if upper.get("replace"):
        return upper
    merged = dict(lower)
    for key, value in upper.items():
        below = merged.get(key)
        if isinstance(value, dict) and isinstance(below, dict):
            merged[key] = _merge(value, below)
        elif isinstance(value, list) and isinstance(below, list):
            merged[key] = [*value, *(item for item in below if item not in value)]
        else:
            merged[key] = value
    return merged


def _find_members(nodes: Sequence[_Node], name: str) -> list[_Node]:
    found: list[_Node] = []
    for text, value, key in nodes:
        if isinstance(value, dict) and name in value:
            node = _Node(text, value[name], (*key, name))
            if found and type(node.value) is not type(found[0].value):
                break
            found.append(node)
            if (isinstance(node.value, dict) and node.value.get("replace")) or (not key and name in _OWN):
                break
    return found


def _find_item(nodes: Sequence[_Node], index: int) -> list[_Node]:
    listed: list[_Node] = []
    for text, value, key in nodes:
        above = [node.value for node in listed]
        items = enumerate(value) if isinstance(value, list) else ()
        listed += [_Node(text, item, (*key, place)) for place, item in items if item not in above]
    return listed[index : index + 1]


def _parse_beginning(text: str) -> dict[str, Any] | None:
    """Return what the beginning of a file says, the list in which it ends closed; None within a statement."""
    for closing in _CLOSING:
        try:
            return tomllib.loads(text + closing)
        except tomllib.TOMLDecodeError:
            continue
    return None


def _count_known(table: dict[str, Any], key: Key) -> int:
    """Return how many parts of the key lead somewhere."""
    value: Any = table
    for depth, part in enumerate(key):
        try:
            value = value[part]
        except (KeyError, IndexError, TypeError):
            return depth
    return len(key)
