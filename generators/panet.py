"""Makes `ingest/catalogue/panet.tsv` of the ontology of experimental techniques.

    python generators/panet.py PaNET.csv > ingest/catalogue/panet.tsv

PaNET.csv is `source/PaNET.csv` of ExPaNDS-eu/ExPaNDS-experimental-techniques-ontology (CC-BY-4.0). It is a template for
ROBOT: most terms are defined by what they are (`x-ray tomography` is `tomography` and `x-ray probe technique`) and not
by what they fall under, so what falls under what has to be concluded. This does what a reasoner for OWL EL does, as far
as PaNET needs one: names, `property some term`, and conjunctions of these.
"""
# ruff: noqa: INP001 - a script

from __future__ import annotations

import csv
import re
import sys
from pathlib import Path

_BASE = "http://purl.org/pan-science/PaNET/PaNET"
_ID, _LABEL, _ALTERNATIVES, _DEFINITION, _TYPE, _PARENTS, _EQUIVALENT = (
    1,
    2,
    slice(3, 5),
    5,
    7,
    slice(8, 15),
    slice(15, 18),
)
_HEAD_ROWS = 3
_FIRST_SPECIFIER = 1_000_000
"""From here on terms are probes, processes, purposes ..., by which techniques are defined, and their properties."""
_SOME = re.compile(r"\(?'(?P<property>\w+)' some (?P<filler>'[^']+'|[\w:]+)\)?")

Conjunct = tuple[str, str]
"""A property and a term; an empty property is the term itself."""


class Ontology:
    """The terms with what they are told to be, and what is concluded of it."""

    def __init__(self, rows: list[list[str]]) -> None:
        self.rows = rows
        # A technique and what it is defined by may have one label: each speaks of its own kind, `some` of the latter.
        self._techniques = {row[_LABEL].strip(): row[_ID] for row in rows if is_technique(row[_ID])}
        self._specifiers = {row[_LABEL].strip(): row[_ID] for row in rows if not is_technique(row[_ID])}
        self.told = {row[_ID]: self._read(row, _PARENTS) | self._read(row, _EQUIVALENT) for row in rows}
        self.defined = {row[_ID]: self._read(row, _EQUIVALENT) for row in rows}

    def conclude(self) -> dict[str, set[str]]:
        """Return for each term all the terms that it falls under, itself included."""
        known: dict[str, set[Conjunct]] = {term: {("", term)} | told for term, told in self.told.items()}
        while True:
            before = sum(map(len, known.values()))
            for conjuncts in known.values():
                for relation, term in list(conjuncts):
                    above = known.get(term, set())
                    conjuncts.update(
                        above if not relation else {(relation, other) for name, other in above if not name}
                    )
                conjuncts.update(("", term) for term, parts in self.defined.items() if parts and parts <= conjuncts)
            if sum(map(len, known.values())) == before:
                return {term: {other for name, other in parts if not name} for term, parts in known.items()}

    def _read(self, row: list[str], columns: slice) -> set[Conjunct]:
        specifiers, techniques = self._specifiers, self._techniques
        by_label = specifiers | techniques if is_technique(row[_ID]) else techniques | specifiers
        cells = (cell.strip() for cell in row[columns] if cell.strip())
        return {conjunct for cell in cells for conjunct in self._read_cell(cell, by_label)}

    def _read_cell(self, cell: str, by_label: dict[str, str]) -> set[Conjunct]:
        if " and " in cell and cell.startswith("("):
            parts = cell.strip("()").split(" and ")
            return {conjunct for part in parts for conjunct in self._read_cell(part.strip(), by_label)}
        match = _SOME.fullmatch(cell)
        if match:
            return {(match["property"], self._to_term(match["filler"], self._specifiers))}
        if cell == "owl:Thing" or cell.startswith("https:"):
            return set()
        return {("", self._to_term(cell, by_label))}

    def _to_term(self, text: str, by_label: dict[str, str]) -> str:
        text = text.strip("'()")
        return text.replace("PaNET:PaNET", _BASE) if text.startswith("PaNET:") else by_label[text]


def to_direct(term: str, above: dict[str, set[str]]) -> list[str]:
    """Return the terms right above: those that no other one lies between."""
    others = {other for other in above[term] if is_above(other, term, above)}
    return sorted(other for other in others if not any(is_above(other, between, above) for between in others))


def is_above(one: str, other: str, above: dict[str, set[str]]) -> bool:
    """Whether the other falls under the one; of two that mean the same, the later under the earlier."""
    return one != other and one in above[other] and (other not in above[one] or one < other)


def read_rows(path: Path) -> list[list[str]]:
    """Return the rows that hold a term, blank ones and the heads left out; of a repeated term the first."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = [row for row in list(csv.reader(file))[_HEAD_ROWS:] if len(row) > _TYPE and row[_ID].strip()]
    by_term: dict[str, list[str]] = {}
    for row in rows:
        by_term.setdefault(row[_ID], row)
    return list(by_term.values())


def is_technique(term: str) -> bool:
    """Whether the term is a technique, and not what techniques are defined by."""
    return int(term.removeprefix(_BASE)) < _FIRST_SPECIFIER


def main(path: str) -> None:
    """Write the table to standard output."""
    ontology = Ontology(read_rows(Path(path)))
    above = ontology.conclude()
    write = sys.stdout.write
    write("# PaNET, the Photon and Neutron Experimental Techniques ontology, (c) ExPaNDS, CC-BY-4.0; see NOTICE.\n")
    write("# Made of its source/PaNET.csv by generators/panet.py: do not edit.\n")
    write("# number, label, alternative labels (by |), numbers of the terms right above (by blanks), definition\n")
    for row in sorted(ontology.rows, key=lambda row: row[_ID]):
        if is_technique(row[_ID]):
            alternatives = [" ".join(text.split()) for text in row[_ALTERNATIVES] if text.strip()]
            broader = [term.removeprefix(_BASE) for term in to_direct(row[_ID], above) if is_technique(term)]
            label, definition = (" ".join(row[column].split()) for column in (_LABEL, _DEFINITION))
            cells = (row[_ID].removeprefix(_BASE), label, "|".join(alternatives), " ".join(broader), definition)
            write("\t".join(cells) + "\n")


if __name__ == "__main__":
    main(sys.argv[1])
