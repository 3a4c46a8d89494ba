"""Every example in docs/query-language.md does what the page says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ingest.catalogue.errors import InvalidQueryError
from ingest.catalogue.search import parse_query, resolve
from ingest.catalogue.search.nouns import AMOUNT_ALIASES, AMOUNT_UNITS

PAGE = Path(__file__).parents[3] / "docs" / "query-language.md"
UNITS = AMOUNT_UNITS | {
    "InstrumentMonochromator_energy": "keV",
    "InstrumentMonochromator_wavelength": "angstrom",
    "t": "K",
    "note": "",
}
ALIASES = AMOUNT_ALIASES | {
    "energy": "InstrumentMonochromator_energy",
    "wavelength": "InstrumentMonochromator_wavelength",
    "temperature": "t",
}


def read_examples(kind: str) -> list[str]:
    blocks = re.findall(rf"```{kind}\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    return [line for block in blocks for line in block.splitlines()]


@pytest.mark.parametrize("text", read_examples("query"))
def test_examples_are_understood(text: str) -> None:
    resolve(parse_query(text), UNITS, ALIASES)


@pytest.mark.parametrize("text", read_examples("refused"))
def test_refused_examples_are_refused(text: str) -> None:
    with pytest.raises(InvalidQueryError):
        parse_query(text)


def test_the_page_has_examples() -> None:
    assert len(read_examples("query")) > 30
    assert len(read_examples("refused")) > 5
