"""Citations in words and as BibTeX, which is read back by another's parser."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import bibtexparser
import pytest
from bibtexparser.middlewares import LatexDecodingMiddleware
from hypothesis import given

from ingest.catalogue.citations import to_bibtex, to_citation
from ingest.catalogue.datacite import to_datacite
from ingest.catalogue.licences import get_licence
from ingest.catalogue.publication_request import Creator
from tests.publishing import ADA, ADDRESSES, HOSTILE, publications, to_view

if TYPE_CHECKING:
    from ingest.catalogue.publication_views import PublicationView


def read_back(text: str) -> dict[str, str]:
    """Return the fields of the one entry, decoded."""
    # What the decoder does not know of LaTeX, or knows as another sign.
    known = text.replace(r"\textbraceleft{}", "\ue001").replace(r"\textbraceright{}", "\ue002")
    library = bibtexparser.parse_string(known.replace(r"\textasciicircum{}", "\ue003"))
    assert library.failed_blocks == []
    (entry,) = library.entries
    assert len(library.blocks) == 1
    assert (entry.entry_type, entry.key) == ("misc", "10.5072_abcde-fgh12")
    decoded = LatexDecodingMiddleware(keep_braced_groups=False).transform(library)
    signs = str.maketrans("\ue001\ue002\ue003", "{}^")
    return {field.key: field.value.translate(signs) for field in decoded.entries[0].fields}


def to_plain(text: str) -> str:
    """Return text without what braces and blanks make no difference to."""
    return re.sub(r"[\s{}]", "", text)


def test_citation_is_as_datacite_recommends() -> None:
    assert to_citation(to_view(), ADDRESSES) == (
        "Example, Ada; Other, Bob (2026). LaB6 at ID00 [Dataset]. European Synchrotron. "
        "https://doi.org/10.5072/abcde-fgh12"
    )


def test_citation_of_many_names_the_first() -> None:
    people = tuple(Creator(f"Name{number:02}", "A.") for number in range(21))
    text = to_citation(to_view(creators=people), ADDRESSES)
    assert "Name19, A. et al. (2026)" in text
    assert "Name20" not in text
    assert "et al." not in to_citation(to_view(creators=people[:20]), ADDRESSES)


def test_citation_has_no_two_full_stops() -> None:
    text = to_citation(to_view(title="LaB6.", publisher="Source Ltd."), ADDRESSES)
    assert "LaB6 [Dataset]. Source Ltd. https" in text


def test_bibtex_is_an_entry_that_is_read_back() -> None:
    assert read_back(to_bibtex(to_view(licence=get_licence("CC0-1.0")), ADDRESSES)) == {
        "author": "Example, Ada and Other, Bob",
        "title": "LaB6 at ID00",
        "publisher": "European Synchrotron",
        "year": "2026",
        "doi": "10.5072/abcde-fgh12",
        "url": "https://doi.org/10.5072/abcde-fgh12",
        "copyright": "Creative Commons Zero v1.0 Universal",
    }


@pytest.mark.parametrize("sign", [*"&%$#_{}~^\\", "{}", "}{", "{_}"])
def test_sign_that_means_something_to_tex_is_read_back_as_itself(sign: str) -> None:
    fields = read_back(to_bibtex(to_view(title=f"a{sign}b", publisher=f"{sign}c{sign}"), ADDRESSES))
    assert fields["title"] == f"a{sign}b"
    assert fields["publisher"] == f"{sign}c{sign}"


def test_letters_of_the_world_stay() -> None:
    text = to_bibtex(to_view(title="Fe₂O₃ in Zürich, 水", creators=(Creator("Łukasz", "Żaneta"),)), ADDRESSES)
    assert "{{Fe₂O₃ in Zürich, 水}}" in text
    assert "{Łukasz, Żaneta}" in text


@pytest.mark.parametrize(
    ("creator", "author"),
    [
        (Creator("Rock and Roll", "Ada"), "{Rock and Roll}, Ada"),
        (Creator("Example", "Ada, Jr."), "Example, {Ada, Jr.}"),
        (Creator("European Collaboration"), "{European Collaboration}"),
        (Creator("Anderson", "Sandy"), "Anderson, Sandy"),
    ],
)
def test_what_would_part_names_is_held_together(creator: Creator, author: str) -> None:
    assert f"author = {{{author} and Example, Ada}}" in to_bibtex(to_view(creators=(creator, ADA)), ADDRESSES)


def is_balanced(text: str) -> bool:
    depth = 0
    for character in text:
        depth += {"{": 1, "}": -1}.get(character, 0)
        if depth < 0:
            return False
    return depth == 0


@given(publications())
def test_anything_is_one_entry_that_is_read_back(publication: PublicationView) -> None:
    text = to_bibtex(publication, ADDRESSES)
    assert is_balanced(text)
    assert text.count("\n  title = ") == 1
    document = to_datacite(publication, ADDRESSES)
    fields = read_back(text)
    assert set(fields) == {"author", "title", "publisher", "year", "doi", "url", "copyright"}
    assert to_plain(fields["title"]) == to_plain(document["titles"][0]["title"])
    assert to_plain(fields["publisher"]) == to_plain(document["publisher"]["name"])


@given(publications())
def test_citation_of_anything_is_one_line_that_ends_with_the_doi(publication: PublicationView) -> None:
    text = to_citation(publication, ADDRESSES)
    assert text.splitlines() == [text] or "\u2028" in text
    assert text.endswith(publication.doi_address)


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_title_makes_no_second_entry(text: str) -> None:
    assert set(read_back(to_bibtex(to_view(title=text, publisher=text), ADDRESSES))) == {
        *("author", "title", "publisher", "year", "doi", "url", "copyright")
    }
