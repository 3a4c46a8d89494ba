"""The fields that rules fill, as a table for people: name, meaning, unit, and where each is looked for. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from ingest.catalogue.scan_fields import SCAN_FIELDS
from ingest.catalogue.vocabulary import NUMBERED, load_vocabulary
from ingest.mapping.rule_texts import find_place

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from ingest.mapping.rule_schema import RuleFile, Source, Target
    from ingest.mapping.rule_texts import Key
    from ingest.mapping.rules import Rules

_HEAD: Final = """\
# Fields

What the shipped rules look for in a file. This page is written by `nxcat rules docs`; `nxcat rules explain FILE` tells
for one file which place gave each value. Places are written as in [rule files](rule-files.md): the group, a colon, and
the fields in it, best first.
"""


class FieldRow(NamedTuple):
    """One field: where it is looked for, by each of the rule files that say something of it."""

    name: str
    meaning: str
    unit: str
    places: tuple[tuple[str, tuple[str, ...]], ...]


def to_markdown(rules: Sequence[Rules]) -> str:
    """Return the page: the fields of a scan, then the parameters."""
    scan = [_to_row(rules, "targets", field.name, field.meaning, field.unit) for field in SCAN_FIELDS.values()]
    parameters = [_to_row(rules, "parameters", name, *_find_meaning(rules, name)) for name in _list_parameters(rules)]
    tables = [("Fields of a scan", scan), ("Parameters", parameters)]
    return _HEAD + "".join(f"\n## {title}\n\n{_to_table(rows)}" for title, rows in tables)


def _list_parameters(rules: Iterable[Rules]) -> list[str]:
    return sorted({name for each in rules for name in each.file.parameters}, key=str.casefold)


def _find_meaning(rules: Iterable[Rules], name: str) -> tuple[str, str]:
    known = load_vocabulary().get(name.replace(NUMBERED, "01"))
    if known is not None:
        return known.description, known.unit
    return "", next(each.file.unit_of(name) for each in rules if name in each.file.parameters)


def _to_row(rules: Iterable[Rules], kind: str, name: str, meaning: str, unit: str) -> FieldRow:
    places: list[tuple[str, tuple[str, ...]]] = []
    for each in rules:
        target = _find_target(each.file, kind, name)
        own = [
            _to_place(source)
            for index, source in enumerate(target.sources if target else ())
            if _is_own(each, (kind, name, "sources", index))
        ]
        if own:
            places.append((each.name, tuple(own)))
    return FieldRow(name, meaning, unit, tuple(places))


def _find_target(file: RuleFile, kind: str, name: str) -> Target | None:
    scan = {str(field): target for field, target in file.targets.items()}
    return (scan if kind == "targets" else file.parameters).get(name)


def _is_own(rules: Rules, key: Key) -> bool:
    return find_place(rules.chain, key)[0] is rules.chain[0]


def _to_place(source: Source) -> str:
    remarks = [f"named `{source.named}`"] if source.named else []
    remarks += [f"not in `{source.unless_named}`"] if source.unless_named else []
    remarks += [f"matching `{source.matching}`"] if source.matching else []
    remarks += ["with a unit"] if source.needs_unit else []
    remarks += ["inferred"] if source.inferred else []
    at, fields = (", ".join(f"`{text}`" for text in texts) for texts in (source.at, source.fields))
    return f"{at}: {fields} ({', '.join(remarks)})" if remarks else f"{at}: {fields}"


def _to_table(rows: Iterable[FieldRow]) -> str:
    return "\n".join(
        ["| field | meaning | unit | where it is looked for |", "|---|---|---|---|", *map(_to_line, rows), ""]
    )


def _to_line(row: FieldRow) -> str:
    cells = (f"`{row.name}`", row.meaning, row.unit, "<br>".join(_list_places(row)))
    return f"| {' | '.join(_to_cell(cell) for cell in cells)} |"


def _list_places(row: FieldRow) -> Iterator[str]:
    for name, places in row.places:
        yield from (f"{name}: {place}" for place in places)


def _to_cell(text: str) -> str:
    """Return a text that ends no cell: in Markdown a bar does, even within code."""
    return text.replace("|", "\\|").replace("\n", " ")
