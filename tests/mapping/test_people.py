from __future__ import annotations

import pytest

from ingest.mapping.people import split_names
from tests.mapping.record_parts import field, group, scan_of


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("Hildebrandt, Ron", ["Hildebrandt, Ron"]),
        ("A. Smith, B. Jones", ["A. Smith", "B. Jones"]),
        ("A. Smith; Jones", ["A. Smith", "Jones"]),
        ("Ada Lovelace and Charles Babbage", ["Ada Lovelace", "Charles Babbage"]),
        ("Anders Andersson", ["Anders Andersson"]),
        ("Ada <ada@example.org>", ["Ada"]),
        ("Ada, tel 0169359616", ["Ada, tel"]),
    ],
)
def test_several_people_in_one_string(text: str, names: list[str]) -> None:
    assert split_names(text) == names


def test_role_is_kept_and_contact_data_is_not() -> None:
    user = group(
        "user",
        "NXuser",
        field("name", "Ada"),
        field("role", "proposer"),
        field("email", "ada@example.org"),
        field("telephone_number", "0169359616"),
        field("address", "12 High Street"),
    )
    (person,) = scan_of(user).users
    assert (person.name.value, person.role, person.name.path) == ("Ada", "proposer", "/entry/user/name")
    assert "example.org" not in repr(person)


@pytest.mark.parametrize(
    ("stated", "kept"), [("https://orcid.org/0000-0002-1825-0097", True), ("0000-0002-1825-0098", False)]
)
def test_orcid_is_kept_if_its_check_digit_fits(stated: str, kept: bool) -> None:
    (person,) = scan_of(group("user", "NXuser", field("name", "Ada"), field("orcid", stated))).users
    assert person.orcid == ("0000-0002-1825-0097" if kept else None)


def test_login_serves_where_there_is_no_name() -> None:
    (person,) = scan_of(group("user", "NXuser", field("name", "_"), field("username", "ffv81419"))).users
    assert person.name.value == "ffv81419"


def test_nobody_is_named_twice_and_placeholders_are_nobody() -> None:
    users = [group(f"user{n}", "NXuser", field("name", name)) for n, name in enumerate(["Ada", "ada", "unknown", "_"])]
    assert [person.name.value for person in scan_of(*users).users] == ["Ada"]
