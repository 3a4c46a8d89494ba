"""The commands `rules` in words: checking rule files, showing them, telling by which of them a value was found."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click
import tomli_w

from ingest import console
from ingest.explaining import explain_dataset, explain_file
from ingest.mapping.explaining import Verdict
from ingest.mapping.field_table import to_markdown
from ingest.mapping.lacks import list_unkept
from ingest.mapping.rule_checks import find_remarks, to_faults
from ingest.mapping.rule_texts import SUFFIX, RuleFault, RuleFileError, merge
from ingest.mapping.rules import load_rules, shipped_rules
from ingest.nexus.errors import ReaderError
from ingest.services import open_services

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ingest.mapping.rules import Rules

_LONGEST_CELL: Final = 60
_SILENT: Final = 60
"""As many fields are named that a file does not hold; a vocabulary of a thousand would hide the others."""


class NoRuleFileError(RuleFileError):
    """What shall be checked is called as no rule file is."""

    def __init__(self, file: Path) -> None:
        super().__init__(
            str(file), [RuleFault(str(file), None, "", "no rule file", f"its name must end with {SUFFIX}")]
        )


def check(file: Path, *, is_json: bool) -> int:
    """Print what is wrong with a rule file, and what does nothing; return the exit status: 1 if anything is wrong."""
    rules: Rules | None = None
    faults: tuple[RuleFault, ...] = ()
    remarks: list[RuleFault] = []
    try:
        rules = _load(file)
        remarks = to_faults(rules.chain, find_remarks(rules.file))
    except RuleFileError as error:
        faults = error.faults
    unkept = list_unkept(rules.plan) if rules else []
    if is_json:
        told = {"name": rules.name, "version": rules.version} if rules else {"name": None, "version": None}
        lists = {"faults": _to_plain(faults), "remarks": _to_plain(remarks), "never_kept": unkept}
        console.print_json({"file": str(file), "is_valid": not faults, **told, **lists})
    else:
        _print_check(file, rules, faults, [*map(str, remarks), *(f"never found: {each}" for each in unkept)])
    return 1 if faults else 0


def _load(file: Path) -> Rules:
    if file.suffix != SUFFIX:
        raise NoRuleFileError(file)
    return load_rules(str(file))


def _print_check(file: Path, rules: Rules | None, faults: Sequence[RuleFault], remarks: Sequence[str]) -> None:
    for fault in faults:
        click.echo(console.to_plain_text(f"{fault.file}: {fault}"))
    for remark in remarks:
        click.echo(console.to_plain_text(f"remark: {remark}"))
    if rules is not None:
        counts = f"{len(rules.file.targets)} fields of a scan, {len(rules.file.parameters)} parameters"
        rests = " on ".join(text.source for text in rules.chain[1:])
        click.echo(f"{file}: good: {rules.name} {rules.version}{f', on {rests}' if rests else ''}; {counts}")
    else:
        click.echo(f"{len(faults)} fault{'s' if len(faults) != 1 else ''}; docs/rule-files.md describes the schema")


def _to_plain(faults: Sequence[RuleFault]) -> list[dict[str, Any]]:
    return [fault._asdict() for fault in faults]


def show(name: str | None, *, is_json: bool) -> None:
    """Print a rule set as it holds, all that it extends merged into it; without a name, the rule files there are."""
    if name is None:
        _print_list(shipped_rules(), is_json=is_json)
        return
    rules = load_rules(name)
    table = {key: value for key, value in merge(rules.chain).items() if key != "extends"}
    if is_json:
        console.print_json({"version": rules.version, "files": [text.source for text in rules.chain], "rules": table})
        return
    click.echo(f"# {rules.name} {rules.version}: {' on '.join(text.source for text in rules.chain)}")
    click.echo(tomli_w.dumps(table), nl=False)


def _print_list(shipped: Sequence[Rules], *, is_json: bool) -> None:
    rows: list[dict[str, Any]] = [
        {
            "name": rules.name,
            "version": rules.version,
            "extends": rules.file.extends or None,
            "recognised_by": [_to_evidence(each) for each in rules.file.recognise],
        }
        for rules in shipped
    ]
    if is_json:
        console.print_json(rows)
        return
    cells = [(r["name"], r["version"], r["extends"], "; ".join(r["recognised_by"]) or "all others") for r in rows]
    console.print_table("", ("rules", "version", "extends", "recognised by"), cells)


def _to_evidence(evidence: Any) -> str:
    if evidence.attribute or evidence.at:
        place = evidence.attribute or evidence.at + ("" if evidence.field == "." else f": {evidence.field}")
        return f"{place} {f'has {evidence.matching}' if evidence.matching else 'is there'} ({evidence.score})"
    return f"entries are called {evidence.entry} ({evidence.score})"


def explain(master: str, rules: str | None, timezone: str, fields: Sequence[str], *, is_json: bool) -> None:
    """Print which place of a master gave each value, and what was passed over and why."""
    if master.isdecimal():
        with open_services() as services, services.read_sessions() as session:
            found = explain_dataset(session, int(master), rules, fields)
    else:
        try:
            found = explain_file(Path(master), rules, timezone, fields)
        except ReaderError as error:
            raise click.ClickException(str(error)) from error
    if is_json:
        console.print_json(found)
    else:
        _print_explanation(found, has_all=bool(fields))


def _print_explanation(found: dict[str, Any], *, has_all: bool) -> None:
    click.echo(f"{console.to_plain_text(found['master'])}, by {found['rules']['name']} {found['rules']['version']}")
    for scan in found["scans"]:
        shown = [field for field in scan["fields"] if has_all or field["stands_somewhere"]]
        rows = [row for field in shown for row in _to_rows(field, has_all=has_all)]
        columns = ("field", "", "HDF5 path", "what it says", "looked for by")
        console.print_table(f"\n{console.to_plain_text(scan['entry'])}", columns, rows)
        silent = [field["name"] for field in scan["fields"] if field not in shown]
        if silent:
            more = f" and {len(silent) - _SILENT} more" if len(silent) > _SILENT else ""
            click.echo(f"\nnothing stands anywhere for: {', '.join(silent[:_SILENT])}{more}")
    for said in found.get("said_otherwise", ()):
        click.echo(f"{said['name']}: a {said['layer']} says otherwise, and that is shown")
    for cap, count in found["truncated"].items():
        click.echo(f"the record was cut: {count} {cap} were left out")


def _to_rows(field: dict[str, Any], *, has_all: bool) -> Iterator[tuple[object, ...]]:
    name = field["name"]
    for value in field["values"]:
        if value["derived"] and value["path"] not in _list_taken(field):
            yield name, "derived", value["path"], _to_original(value), "energy and wavelength are one thing"
            name = ""
    for candidate in field["candidates"]:
        if candidate["verdict"] != Verdict.ABSENT or has_all:
            where = candidate["path"] or candidate["place"]
            yield name, candidate["verdict"], where, _to_original(candidate), _to_rule(candidate["rule"])
            name = ""


def _to_rule(rule: str) -> str:
    """Return the file and the number of the source: the field stands in the same row."""
    file, _, key = rule.rpartition(" ")
    return f"{Path(file).stem}: {'.'.join(key.split('.')[-2:])}"


def _list_taken(field: dict[str, Any]) -> list[str | None]:
    return [each["path"] for each in field["candidates"] if each["verdict"] == Verdict.TAKEN]


def _to_original(said: dict[str, Any]) -> str:
    text = " ".join(filter(None, [said["original"], said["original_unit"]]))
    return text if len(text) <= _LONGEST_CELL else f"{text[:_LONGEST_CELL]}..."


def write_docs() -> None:
    """Print the page of the fields: docs/fields.md."""
    click.echo(to_markdown(shipped_rules()), nl=False)
