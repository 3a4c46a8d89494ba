"""What a person says about a publication is checked before anything is written."""

from __future__ import annotations

import pytest
from hypothesis import given

from ingest.catalogue.licences import get_licence
from ingest.catalogue.publication_request import (
    MAX_ABSTRACT,
    MAX_TITLE,
    Creator,
    InvalidOrcidError,
    NoCreatorError,
    NoDatasetError,
    PublicationRequest,
    PublicationTextError,
    SameCreatorError,
    to_creator,
    to_request,
)
from tests.publishing import ADA, BOB, HOSTILE, ORCID, requests

LICENCE = get_licence("CC-BY-4.0")


@pytest.mark.parametrize(
    ("text", "creator"),
    [
        ("Example, Ada", Creator("Example", "Ada")),
        ("  van  der Example ,Ada B. ", Creator("van der Example", "Ada B.")),
        (f"Example, Ada; https://orcid.org/{ORCID}; ESRF", ADA),
        ("Example, Ada;; ESRF; CERN; ESRF", Creator("Example", "Ada", None, ("ESRF", "CERN"))),
        ("Example, Ada; ; ", Creator("Example", "Ada")),
        ("Plato,", Creator("Plato")),
        ("Example, Ada, Jr.", Creator("Example", "Ada, Jr.")),
    ],
)
def test_creator_is_read(text: str, creator: Creator) -> None:
    assert to_creator(text) == creator


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("Ada Example", "write 'Family, Given; ORCID; Affiliation'"),
        ("", "write 'Family, Given"),
        (", Ada", "there is no family name in it"),
        ("Example, Ada\x1b[2J", "a control character stands in it"),
        (f"{'x' * 150}, {'y' * 100}", "it has 252 characters, at most 200 are taken"),
        (f"Example, Ada;; {'x' * 300}", "it has 300 characters, at most 255 are taken"),
    ],
)
def test_creator_that_cannot_be_read_is_refused_with_what_to_do(text: str, message: str) -> None:
    with pytest.raises(PublicationTextError, match=message):
        to_creator(text)


@pytest.mark.parametrize("orcid", ["0000-0002-1825-0098", "ESRF", "0000-0002-1825"])
def test_bad_orcid_is_refused(orcid: str) -> None:
    with pytest.raises(InvalidOrcidError, match="such as 0000-0002-1825-0097") as raised:
        to_creator(f"Example, Ada; {orcid}")
    assert raised.value.text == orcid


def test_names_are_shown_and_cited_in_their_order() -> None:
    assert (ADA.full_name, ADA.shown_name) == ("Example, Ada", "Ada Example")
    assert (Creator("Plato").full_name, Creator("Plato").shown_name) == ("Plato", "Plato")


def test_request_holds_each_dataset_once_and_texts_without_stray_blanks() -> None:
    request = to_request([3, 1, 3], "  LaB6\n at  ID00 ", [ADA], LICENCE, " One.\r\n\r\n\r\n\n Two  words.\n")
    assert request == PublicationRequest((1, 3), "LaB6 at ID00", (ADA,), LICENCE, "One.\n\nTwo words.")


def test_abstract_may_be_left_out() -> None:
    assert to_request([1], "LaB6", [ADA], LICENCE, None).abstract is None
    assert to_request([1], "LaB6", [ADA], LICENCE, " \n ").abstract is None


def test_somebody_and_something_must_be_named() -> None:
    with pytest.raises(NoCreatorError, match="--creator 'Family, Given"):
        to_request([1], "LaB6", [], LICENCE, None)
    with pytest.raises(NoDatasetError):
        to_request([], "LaB6", [ADA], LICENCE, None)


def test_two_who_cannot_be_told_apart_are_refused() -> None:
    with pytest.raises(SameCreatorError, match="give their ORCID iDs"):
        to_request([1], "LaB6", [BOB, BOB], LICENCE, None)
    with pytest.raises(SameCreatorError):
        to_request([1], "LaB6", [ADA, Creator("Married", "Ada", ORCID)], LICENCE, None)
    namesakes = [ADA, Creator("Example", "Ada")]
    assert to_request([1], "LaB6", namesakes, LICENCE, None).creators == tuple(namesakes)


@pytest.mark.parametrize(
    ("title", "message"),
    [
        ("", "it is empty"),
        (" \n\t", "it is empty"),
        ("x" * (MAX_TITLE + 1), f"at most {MAX_TITLE} are taken"),
        ("a\0b", "control character"),
        ("a\udc80b", "control character"),
        ("a\uffffb", "control character"),
    ],
)
def test_title_that_cannot_stand_is_refused(title: str, message: str) -> None:
    with pytest.raises(PublicationTextError, match=message) as raised:
        to_request([1], title, [ADA], LICENCE, None)
    assert raised.value.part == "title"
    assert len(str(raised.value)) < 300


def test_longest_texts_are_taken() -> None:
    request = to_request([1], "x" * MAX_TITLE, [ADA], LICENCE, "y" * MAX_ABSTRACT)
    assert (len(request.title), len(request.abstract or "")) == (MAX_TITLE, MAX_ABSTRACT)
    with pytest.raises(PublicationTextError, match="abstract"):
        to_request([1], "x", [ADA], LICENCE, "y" * (MAX_ABSTRACT + 1))


@given(requests())
def test_what_is_accepted_holds_text_only(request: PublicationRequest | None) -> None:
    if request is not None:
        names = [name for person in request.creators for name in (person.family_name, person.given_name)]
        for line in (request.title, *names, *(place for person in request.creators for place in person.affiliations)):
            assert line == " ".join(line.split())
            assert "\x00" not in line
            line.encode()


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_title_is_taken_as_it_is_or_refused(text: str) -> None:
    if "\x00" in text:
        with pytest.raises(PublicationTextError):
            to_request([1], text, [ADA], LICENCE, None)
    else:
        assert to_request([1], text, [ADA], LICENCE, None).title == " ".join(text.split())
