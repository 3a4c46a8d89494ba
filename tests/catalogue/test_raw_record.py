"""What is taken out of a record for those who do not see all: places on disks, and nothing that is no place."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.catalogue.raw_record import to_public_record
from ingest.catalogue.redaction import REDACTED

ROOTS = ("/data/visitor", "/entry/x")
"""The second looks as if it lay in the file."""


def show(text: Any, *, has_files: bool = True, **members: Any) -> dict[str, Any]:
    """Return the public form of a record with a field and an attribute of that value."""
    field = {"name": "note", "dtype": "string", "value": text, "attributes": {"said": text}}
    below = {"path": "/entry/notes", "nx_class": "NXnote", "fields": [field]}
    entry = {"path": "/entry", "nx_class": "NXentry", "attributes": {"said": text}, "groups": [below]}
    root = {"path": "/", "nx_class": "NXroot", "fields": [{"name": "top", "dtype": "string"}]}
    document = {"format": 1, "kind": "hdf5-nexus", "root": root, "entries": [entry], **members}
    return to_public_record(document, ROOTS, has_files=has_files)


def redact(text: Any) -> Any:
    """Return what becomes of the value, the same wherever it stands."""
    entry = show(text)["entries"][0]
    field = entry["groups"][0]["fields"][0]
    assert entry["attributes"]["said"] == field["attributes"]["said"] == field["value"]
    return field["value"]


@pytest.mark.parametrize(
    "text",
    [
        "/data/visitor/hc1/id11",
        "/data/visitor",
        "/gpfs/a b/c.h5",
        "~/notes.txt",
        "file:///gpfs/a.h5",
        "FILE:/gpfs/a.h5",
        "C:\\Users\\ada\\a.h5",
        "d:/data/a.h5",
        "\\\\server\\share\\a.h5",
        "/entry/x/a.h5",
    ],
)
def test_a_place_is_taken_out_whole(text: str) -> None:
    assert redact(text) == REDACTED


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("see /gpfs/a/b.h5, twice", f"see {REDACTED}, twice"),
        ("path=/gpfs/a/b.h5", f"path={REDACTED}"),
        ("dark '/gpfs/a.h5' and \"/gpfs/b.h5\"", f"dark '{REDACTED}' and \"{REDACTED}\""),
        ("copied from host:/gpfs/a.h5", f"copied from host:{REDACTED}"),
        ("on C:\\data\\a.h5 now", f"on {REDACTED} now"),
        ("on \\\\server\\share now", f"on {REDACTED} now"),
        ("link /entry/x/y to /entry/notes", f"link {REDACTED} to /entry/notes"),
        (["/gpfs/a.h5", "b", 1.5, True], [REDACTED, "b", 1.5, True]),
    ],
)
def test_a_place_within_a_text_is_taken_out_alone(text: Any, shown: Any) -> None:
    assert redact(text) == shown


@pytest.mark.parametrize(
    "value",
    [
        "ascan samx 0 1 10 0.1",
        "1/s",
        "counts/s and /s",
        "http://purl.org/pan-science/PaNET/PaNET01216",
        "https://doi.org/10.5072/abc",
        "a/b/c",
        "scan0001/eiger_0000.h5",
        "/entry/notes/note",
        "/entry",
        "/top",
        "12:30:01",
        "Fe\\Co",
        "5 < 6 / 7",
        "",
        12.4,
        0,
        False,
    ],
)
def test_what_is_no_place_stays(value: Any) -> None:
    assert redact(value) == value


@given(st.text(max_size=40), st.text(max_size=40))
def test_place_below_a_root_is_never_shown(before: str, after: str) -> None:
    for root in ROOTS:
        shown = redact(f"{before} {root}/secret {after}")
        assert f"{root}/secret" not in shown


@pytest.mark.parametrize(
    ("file", "is_named"),
    [
        ("scan0001/eiger_0000.h5", True),
        ("a..b.h5", True),
        ("/data/visitor/a.h5", False),
        ("../other/a.h5", False),
        ("scan/../../a.h5", False),
        ("scan\\..\\..\\a.h5", False),
        ("C:\\a.h5", False),
        ("file:///a.h5", False),
    ],
)
def test_linked_file_is_named_if_it_lies_in_the_datasets_folder(file: str, is_named: bool) -> None:
    link = {"path": "/entry/data", "kind": "external", "file": file, "target": "/entry/secret"}
    bare = {"path": "/entry/data", "kind": "external"}
    assert show("", linked_files=[link])["linked_files"] == [link if is_named else bare]
    assert show("", linked_files=[link], has_files=False)["linked_files"] == [bare]


def test_of_a_person_name_and_role_are_shown() -> None:
    fields = [{"name": name, "dtype": "string", "value": name} for name in ("Name", "role", "ORCID", "affiliation")]
    below = {"path": "/entry/user/home", "fields": [{"name": "name", "dtype": "string", "value": "here"}]}
    user = {
        "path": "/entry/user",
        "nx_class": "NXuser",
        "attributes": {"account": "ada"},
        "fields": fields,
        "groups": [below],
    }
    root = {"path": "/", "nx_class": "NXroot", "groups": [user]}
    public = to_public_record({"format": 1, "kind": "hdf5-nexus", "root": root}, (), has_files=True)
    assert public["root"]["groups"] == [{"path": "/entry/user", "nx_class": "NXuser", "fields": fields[:2]}]


def to_document(groups: list[dict[str, Any]]) -> dict[str, Any]:
    entry = {"path": "/entry", "nx_class": "NXentry", "groups": groups}
    return {"format": 1, "kind": "hdf5-nexus", "root": {"path": "/"}, "entries": [entry]}


@pytest.mark.parametrize("closed", ["/entry/sample/notes", "/entry/again/notes", "/entry/deep/inner/notes"])
def test_what_is_not_public_is_shown_under_none_of_its_names(closed: str) -> None:
    def to_group(path: str, **members: Any) -> dict[str, Any]:
        fields = [{"name": name, "dtype": "string", "value": name} for name in ("notes", "name")]
        return {"path": path, "fields": fields, "attributes": {}} | members

    groups = [
        to_group("/entry/sample"),
        to_group("/entry/again", attributes={"target": "/entry/sample"}),
        {"path": "/entry/deep", "groups": [to_group("/entry/deep/inner", attributes={"target": "/entry/sample"})]},
        to_group("/entry/other"),
    ]
    document = {
        "format": 1,
        "kind": "hdf5-nexus",
        "root": {"path": "/"},
        "entries": [{"path": "/entry", "groups": groups}],
    }
    shown = to_public_record(document, (), {closed}, has_files=True)["entries"][0]["groups"]
    shown[2] = shown[2]["groups"][0]
    assert [[field["name"] for field in group["fields"]] for group in shown] == [["name"]] * 3 + [["notes", "name"]]


@pytest.mark.parametrize("closed", ["/entry/sample@notes", "/entry/again@notes"])
def test_attribute_that_is_not_public_is_shown_under_none_of_its_names(closed: str) -> None:
    groups = [
        {"path": "/entry/sample", "attributes": {"notes": "a"}},
        {"path": "/entry/again", "attributes": {"notes": "a", "target": "/entry/sample"}},
    ]
    shown = to_public_record(to_document(groups), (), {closed}, has_files=True)["entries"][0]["groups"]
    assert [group["attributes"] for group in shown] == [{}, {"target": "/entry/sample"}]


def test_what_was_read_is_not_changed() -> None:
    fields = [{"name": "a", "dtype": "string", "value": "/gpfs/a"}]
    document = {"format": 1, "kind": "hdf5-nexus", "root": {"path": "/", "nx_class": "NXroot", "fields": fields}}
    to_public_record(document, ROOTS, has_files=False)
    assert fields[0]["value"] == "/gpfs/a"


def test_the_rest_is_handed_on() -> None:
    public = show("", truncated={"fields": 3}, swmr=True)
    assert (public["format"], public["kind"], public["truncated"], public["swmr"]) == (
        1,
        "hdf5-nexus",
        {"fields": 3},
        True,
    )
    assert "linked_files" not in public
