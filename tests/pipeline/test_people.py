"""People as files name them: names and roles are kept; how to reach them is not, wherever the file says so."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import h5py
import numpy as np
import pytest
from sqlalchemy import select

from ingest.catalogue.browsing import list_scans
from ingest.catalogue.indexing import load_documents
from ingest.catalogue.model import InvestigationUser, User
from ingest.catalogue.model.base import utc_now
from ingest.catalogue.notices import ToldDataset, record_notice, record_unreadable
from ingest.catalogue.raw_record import get_raw_record
from ingest.catalogue.visibility import OPERATOR
from tests.pipeline.site import set_age
from tests.pipeline.test_patients import dump

if TYPE_CHECKING:
    from pathlib import Path

    from tests.pipeline.site import Site

MAIL, PHONE, STREET = "ada.lovelace@example.org", "+33 4 76 88 20 00", "71 avenue des Martyrs"
SECRETS = ("example.org", "lovelace@", "76 88 20", "76.88.20", "76882000", "0476882", "Martyrs", "38043")


def in_user(name: str, value: Any) -> Any:
    return lambda entry: entry["user"].__setitem__(name, value)


def as_attribute(place: str, name: str, value: Any) -> Any:
    return lambda entry: (entry[place] if place else entry.file).attrs.__setitem__(name, value)


def at(place: str, value: Any) -> Any:
    return lambda entry: entry.__setitem__(place, value)


# What writers do, and what somebody might do.
WAYS: dict[str, Any] = {
    **{
        f"user field {name}": in_user(name, MAIL)
        for name in (
            "email",
            "e_mail",
            "E-Mail",
            "EMAIL",
            "emailAddress",
            "courriel",
            "contact",
            "comment",
            "affiliation",
        )
    },
    **{
        f"user phone {name}": in_user(name, number)
        for name, number in {
            "telephone_number": "0476882000",
            "phone1": 476882000,
            "Telefon": "04 76 88 20 00",
            "fax_number": "0033 4 76 88 20 00",
            "contact": "04 76 88 20 00",
            "mobile": "04.76.88.20.00",
            "info": "04-76-88-20-00",
            "note": "0476882000",
        }.items()
    },
    **{
        f"user address {name}": in_user(name, f"{STREET}, 38043 Grenoble")
        for name in (
            "address",
            "Adresse",
            "postalAddress",
            "home_address",
            "street",
            "Anschrift",
            "indirizzo",
            "location",
        )
    },
    "name is an address": in_user("username", MAIL),
    "name with an address": in_user("names", f"Bob Example <{MAIL}>"),
    "name with a number": in_user("names", f"Bob Example, {PHONE}"),
    "name with a street": in_user("names", f"Bob Example ({STREET}, 38043 Grenoble)"),
    "name over lines": in_user("names", f"Bob Example\n{STREET}\n38043 Grenoble"),
    "role with an address": in_user("role", f"PI, {MAIL}"),
    "user attribute": as_attribute("user", "email", MAIL),
    "user attribute by pattern": as_attribute("user", "reach", MAIL),
    "attribute of a person": lambda entry: entry.create_group("person").attrs.update(
        {"NX_class": "NXuser", "mobile": "0476882000"}
    ),
    "below a user": in_user("office/door/text", f"{STREET}, 04 76 88 20 00"),
    "root attribute": as_attribute("", "creator", f"Bob <{MAIL}>"),
    "attribute of a field": as_attribute("title", "owner", MAIL),
    "title": at("comment", f"ask {MAIL} or call {PHONE}"),
    "dotted number": at("comment", "call +33.4.76.88.20.00"),
    "labelled": at("comment", "Telefon: 04 76 88 20 00, Handy 0476882000"),
    "obfuscated": at("comment", "lovelace (at) example (dot) org, lovelace[at]example.org"),
    "quoted": at("comment", '"ada lovelace"@example.org, lovelace@[10.0.0.1]'),
    "other characters": at("comment", "lovelace\uff20example.org, lovelace&#64;example.org"),
    "list": at("comment", [MAIL, "x"]),
    "matrix": at("comment", np.array([[MAIL.encode(), b"x"]])),
    "fixed length": at("comment", np.bytes_(MAIL)),
    "latin-1": at("comment", np.bytes_(f"Bj\xf6rn {MAIL}".encode("latin-1"))),
    "characters": at("comment", np.array([char.encode() for char in MAIL])),
    "codes": at("comment", np.frombuffer(MAIL.encode("utf-16-le"), np.uint16)),
    "unit": lambda entry: entry["title"].attrs.__setitem__("units", MAIL),
    "class": lambda entry: entry.create_group("thing").attrs.__setitem__("NX_class", MAIL),
    "field name": at(MAIL, 1.0),
    "group name": lambda entry: entry.create_group(f"of {MAIL}").__setitem__("x", 1.0),
    "attribute name": as_attribute("user", MAIL, 1.0),
    "no class": at("username_contact/email", MAIL),
    "a note": at("sample/notes/data", f"from {MAIL}"),
    "sample": at("sample/description", f"sent by {MAIL}, {PHONE}"),
    "long text": at("comment", "x" * 3990 + f" {MAIL}"),
}


@pytest.fixture
def told(site: Site) -> Site:
    site.open_root()
    return site


def write(site: Site, number: int, change: Any) -> Path:
    path = site.write(f"m{number:03}.h5", without="user")
    with h5py.File(path, "r+", locking=False) as file:
        user = file["1.1"].create_group("user")
        user.attrs["NX_class"] = "NXuser"
        change(file["1.1"])
        if "role" not in user:
            user["role"] = "PI"
        if not {"name", "names", "username"} & set(user):
            user["name"] = "Bob Example"
    set_age(path)
    return path


def said(site: Site, path: Path) -> str:
    """Return all that is said of the dataset: its record, its scans, its document."""
    dataset_id = site.dataset(path).id
    with site.reads() as session:
        record = get_raw_record(session, OPERATOR, utc_now(), dataset_id).decode()
        scans = list_scans(session, OPERATOR, utc_now(), dataset_id).items
        return f"{record} {scans} {load_documents(session, [dataset_id])}"


def people(site: Site, path: Path) -> list[tuple[str, str | None]]:
    with site.reads() as session:
        (scan,) = list_scans(session, OPERATOR, utc_now(), site.dataset(path).id).items
    return [(user["name"], user["role"]) for user in scan.users]


def test_no_way_leads_into_the_catalogue_and_names_and_roles_stay(site: Site) -> None:
    paths = {way: write(site, number, change) for number, (way, change) in enumerate(WAYS.items())}
    site.crawl()
    assert [outcome.reason for outcome in site.outcomes if outcome.state != "ingested"] == []
    assert [way for way, path in paths.items() if any(secret in said(site, path) for secret in SECRETS)] == []
    everything = dump(site)
    assert [secret for secret in SECRETS if secret in everything] == []
    nameless = {"name is an address"}
    assert {way for way, path in paths.items() if people(site, path) != [("Bob Example", "PI")]} == nameless
    with site.reads() as session:
        assert set(session.scalars(select(User.name))) == {"Bob Example"}
        assert set(session.scalars(select(InvestigationUser.role))) == {"PI"}


def test_several_people_and_their_ids_stay(site: Site) -> None:
    path = site.write(user__name="Ada Example, Bob Other; C. Third (ESRF)", user__orcid="0000-0002-1825-0097")
    site.crawl()
    assert [name for name, _ in people(site, path)] == ["Ada Example", "Bob Other", "C. Third"]
    alone = site.write("b.h5", user__name="Ada Alone", user__orcid="0000-0002-1825-0097", user__proposal="hc 7")
    site.crawl()
    with site.reads() as session:
        assert session.scalar(select(User.orcid_id).where(User.name == "Ada Alone")) == "0000-0002-1825-0097"
    assert "hc 7" in said(site, alone)


def test_a_notice_keeps_no_address_wherever_it_stands(told: Site) -> None:
    told_of = {"InstrumentSource_mode": f"ask {MAIL}", "user_email": MAIL, "scan_note": PHONE, "homeAddress": STREET}
    path = str(told.folder / "a.h5")
    with told.services.write_sessions.begin() as session:
        record_notice(session, ToldDataset(path=path, sample_name=MAIL, parameters=told_of), "http", utc_now())
        record_unreadable(session, f"<xml>{MAIL} {PHONE}</xml>".encode(), "no message", utc_now())
    everything = dump(told)
    assert [secret for secret in SECRETS if secret in everything] == []
    assert "ask [redacted]" in everything
