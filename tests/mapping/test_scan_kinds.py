"""What a scan was taken for, and which scans serve which."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ingest.mapping.drafts import Origin
from tests.mapping.record_parts import drafted, entry, field, group, instrument, scan_of

if TYPE_CHECKING:
    from ingest.mapping.drafts import DatasetDraft, ScanDraft
    from ingest.nexus.record import Group


def kind_of(scan: ScanDraft) -> str | None:
    return scan.kind.value if scan.kind else None


def titled(title: str, rules: str = "nexus") -> str | None:
    return kind_of(scan_of(field("title", title), rules=rules))


@pytest.mark.parametrize(
    ("title", "kind"),
    [
        ("dark", "dark"),
        ("Dark field images 2", "dark"),
        ("dark_0001", "dark"),
        ("dark current, sample 3", None),
        ("dark matter phantom", None),
        ("beam off", "dark"),
        ("flat", "flat"),
        ("Open beam", "flat"),
        ("flat-field start", "flat"),
        ("flat sample", None),
        ("reference sample", None),
        ("Empty beam, 8 m", "empty_beam"),
        ("empty cell", None),
        ("calibration", "calibration"),
        ("energy calibration scan", "calibration"),
        ("calibrated sample", None),
        ("LaB6", None),
        ("dark " + "1" * 60 + "x", None),
    ],
)
def test_title_tells_only_if_it_can_mean_nothing_else(title: str, kind: str | None) -> None:
    assert titled(title) == kind


@pytest.mark.parametrize(
    ("title", "kind"),
    [
        ("dark images", "dark"),
        ("flat images 1", "flat"),
        ("reference images 0", "flat"),
        ("refend", "flat"),
        ("refscan samx", None),
        ("projections 1 - 900", "projection"),
        ("static images", "alignment"),
        ("ascan samx 0 1 10 0.1", None),
    ],
)
def test_bliss_tomographies(title: str, kind: str | None) -> None:
    assert titled(title, "esrf-bliss") == kind


def test_title_is_an_inference_and_says_where_it_stands() -> None:
    kind = scan_of(field("title", "dark")).kind
    assert (kind.path, kind.original, kind.origin) == ("/entry/title", "dark", Origin.INFERRED)


def test_key_of_the_scan_goes_before_its_title() -> None:
    technique = group("technique", "NXcollection", field("image_key", 0))
    scan = scan_of(field("title", "dark images"), technique, rules="esrf-bliss")
    assert (kind_of(scan), scan.kind.path, scan.kind.origin) == (
        "projection",
        "/entry/technique/image_key",
        Origin.READ,
    )
    aligned = scan_of(group("technique", "NXcollection", field("image_key", -1)), rules="esrf-bliss")
    assert kind_of(aligned) == "alignment"
    assert scan.frames == {}


def tomography(*keys: int) -> ScanDraft:
    return scan_of(instrument(group("detector", "NXdetector", field("image_key", list(keys)))))


def test_frames_of_a_tomography_are_counted_by_kind() -> None:
    scan = tomography(2, 2, 1, 0, 0, 0, 3)
    assert scan.frames == {"projection": 3, "flat": 1, "dark": 2, "invalid": 1}
    assert (kind_of(scan), scan.kind.original) == ("projection", "0 (3 times), 1, 2 (2 times), 3")


def test_long_keys_are_counted_by_their_tally() -> None:
    keys = field("image_key", None, shape=(921,), tally={"0": 900, "1": 20, "2": 1})
    assert scan_of(group("detector", "NXdetector", keys)).frames == {"projection": 900, "flat": 20, "dark": 1}


def test_frames_all_of_one_kind_are_the_scan_s() -> None:
    assert kind_of(tomography(2, 2)) == "dark"
    assert kind_of(tomography(1, 2)) is None
    assert tomography(1, 2).frames == {"dark": 1, "flat": 1}


@pytest.mark.parametrize("keys", [[0, 7], [0.5, 1.0]])
def test_unknown_keys_say_nothing(keys: list[float]) -> None:
    scan = scan_of(group("detector", "NXdetector", field("image_key", keys)), field("title", "flat"))
    assert (scan.frames, kind_of(scan)) == ({}, "flat")


def scan(name: str, title: str, camera: str = "pco", *, key: int | None = None) -> Group:
    cam = group(camera, "NXdetector", field("image", None, shape=(9, 64, 96)))
    diode = group("diode", "NXdetector", field("data", None, shape=(9,)))
    technique = [group("technique", "NXcollection", field("image_key", key))] if key is not None else []
    return entry(field("title", title), instrument(cam, diode), *technique, name=name)


def served(draft: DatasetDraft) -> dict[str, list[str]]:
    return {each.entry: [f"{by.kind} {by.entry}" for by in each.served_by] for each in draft.scans if each.served_by}


def bliss(*entries: Group) -> dict[str, list[str]]:
    return served(drafted(*entries, rules="esrf-bliss"))


def test_projections_are_served_by_the_nearest_on_both_sides() -> None:
    titles = ["dark images", "flat images", "flat images", "projections", "ct 1", "flat images", "flat images"]
    found = bliss(*(scan(f"{number}.1", title) for number, title in enumerate(titles, 1)))
    assert found == {"/4.1": ["dark /1.1", "flat /3.1", "flat /6.1"]}


def test_where_there_are_no_projections_ordinary_scans_are_served() -> None:
    assert bliss(scan("1.1", "dark"), scan("2.1", "loopscan 5 1"), scan("3.1", "static images")) == {
        "/2.1": ["dark /1.1"]
    }


def test_another_camera_s_dark_serves_nobody() -> None:
    entries = scan("1.1", "dark"), scan("2.1", "dark", "basler"), scan("3.1", "projections")
    assert bliss(*entries) == {"/3.1": ["dark /1.1"]}


def test_a_dark_without_any_camera_told_serves() -> None:
    bare = entry(field("title", "dark"), name="1.1")
    assert bliss(bare, scan("2.1", "projections")) == {"/2.1": ["dark /1.1"]}


def test_what_has_darks_of_its_own_needs_no_other() -> None:
    own = group("pco", "NXdetector", field("image_key", [0, 0, 2]))
    entries = scan("1.1", "dark"), scan("2.1", "flat"), entry(field("title", "t"), own, name="3.1")
    assert served(drafted(*entries)) == {"/3.1": ["flat /2.1"]}


def test_nobody_is_served_where_all_scans_are_ordinary() -> None:
    assert bliss(scan("1.1", "ascan"), scan("2.1", "ascan")) == {}
