from __future__ import annotations

import zlib
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import h5py
import numpy as np
import pytest

from ingest.nexus.budget import DEFAULT_BUDGET, Budget
from ingest.nexus.encoding import encode_record
from ingest.nexus.master import read_master

if TYPE_CHECKING:
    from ingest.nexus.record import Group

Write = Callable[..., Path]
AddGroup = Callable[..., h5py.Group]


def count_fields(group: Group) -> int:
    return sum(len(below.fields) for below in group.walk())


def test_first_entry_and_further_ones_have_their_caps(write: Write) -> None:
    def change(file: h5py.File) -> None:
        for entry in file.values():
            for number in range(500):
                entry[f"x{number:03}"] = number

    record = read_master(write(change, entries=("1.1", "2.1")))
    # Of the first, the five of instrument, source and sample have their own.
    assert [count_fields(entry) for entry in record.entries] == [305, 60]
    assert record.truncated["fields"] > 600


def test_what_tells_most_is_read_before_the_budget_ends(write: Write, group: AddGroup) -> None:
    def change(file: h5py.File) -> None:
        entry = file["entry"]
        group(entry, "a_collection", "NXcollection", **{f"motor{number}": 1.0 for number in range(500)})
        for number in range(500):
            entry[f"aaa{number}"] = number
        entry["zzz"] = group(entry, "zz_beam", "NXbeam", incident_energy=12.4)

    record = read_master(write(change))
    found = {group.path_of(field.name) for group in record.entries[0].walk() for field in group.fields}
    assert {"/entry/title", "/entry/start_time", "/entry/sample/name", "/entry/zz_beam/incident_energy"} <= found
    assert "/entry/instrument/source/name" in found


def test_what_describes_a_measurement_does_not_compete_with_motors_and_counters(write: Write, group: AddGroup) -> None:
    def change(file: h5py.File) -> None:
        entry = file["entry"]
        for number in range(150):
            group(entry, f"instrument/counter{number}", "NXdetector", data=1.0, mode="MEAN", type="samplingcounter")
        group(entry, "sample/donor_site", "NXcollection", hospital_code=7)
        group(entry, "TOMO", "NXsubentry", scanRadix="x")
        group(entry, "TOMO/acquisition", "NXcollection", **{f"a{number}": number for number in range(60)})
        group(entry, "TOMO/acquisition/zseries", "NXcollection", z_mot="sz")
        group(entry, "instrument/slits", "NXslit", vertical_gap=0.5)

    record = read_master(write(change))
    found = {group.path: len(group.fields) for group in record.entries[0].walk()}
    assert found["/entry/TOMO/acquisition"] == 60
    assert found["/entry/TOMO/acquisition/zseries"] == found["/entry/instrument/slits"] == 1
    assert found["/entry/sample/donor_site"] == 1
    assert sum(count for path, count in found.items() if "counter" in path) > 280
    assert record.truncated.keys() == {"fields", "groups"}
    few = read_master(write(change), Budget(telling_fields=50))
    assert [count_fields(each.entries[0]) for each in (record, few)] == [300 + 69, 300 + 50]


def test_depth_is_bounded(write: Write) -> None:
    def change(file: h5py.File) -> None:
        file["entry/" + "/".join(["g"] * 200)] = 1

    record = read_master(write(change))
    assert max(group.path.count("/") for group in record.entries[0].walk()) == DEFAULT_BUDGET.levels
    assert record.truncated == {"levels": 1}


def test_groups_and_members_are_bounded(write: Write) -> None:
    def change(file: h5py.File) -> None:
        for number in range(50):
            file.create_group(f"entry/g{number}")

    path = write(change)
    assert read_master(path, Budget(groups=10)).truncated == {"groups": 42}
    assert read_master(path, Budget(members=20)).truncated["members"] == 34


def test_countless_members_are_listed_as_the_file_has_them(write: Write) -> None:
    def change(file: h5py.File) -> None:
        for number in range(50):
            file.create_group(f"entry/g{number:02}")

    record = read_master(write(change, libver="latest"), Budget(members=10))
    assert record.truncated["members"] == 44
    names = [group.name for group in record.entries[0].groups]
    assert 5 < len(names) <= 10
    assert names != [f"g{number:02}" for number in range(10)]


def test_entries_are_bounded(write: Write) -> None:
    record = read_master(write(entries=tuple("abcde")), Budget(entries=3))
    assert [entry.name for entry in record.entries] == ["a", "b", "c"]
    assert record.truncated == {"entries": 2}


def test_record_stays_within_its_bytes_and_later_entries_keep_title_and_times(write: Write) -> None:
    def change(file: h5py.File) -> None:
        for entry in file.values():
            for number in range(50):
                entry[f"sample/text{number}"] = "x" * 1000

    names = tuple(f"{number}.1" for number in range(40))
    budget = Budget(record_bytes=200_000)
    record = read_master(write(change, entries=names), budget)
    assert len(encode_record(record)) < budget.record_bytes
    assert len(record.entries) == 40
    last = {field.name: field.value for field in record.entries[-1].fields}
    assert last == {"start_time": "2026-11-20T11:56:34+01:00", "title": "a scan"}
    assert record.truncated["groups"] > 0


def test_long_strings_and_attributes_are_cut(write: Write) -> None:
    def change(file: h5py.File) -> None:
        file["entry/long"] = "x" * 100_000
        file["entry/fixed"] = np.bytes_(b"y" * 100_000)
        for number in range(100):
            file["entry/sample"].attrs[f"a{number:03}"] = number

    record = read_master(write(change))
    values = {field.name: field.value for field in record.entries[0].fields}
    assert values["long"] == "x" * 4096
    assert values["fixed"] == "y" * 4096
    sample = next(group for group in record.entries[0].walk() if group.nx_class == "NXsample")
    assert len(sample.attributes) == DEFAULT_BUDGET.attributes - 1
    assert record.truncated == {"attributes": 69}


def test_string_as_long_as_a_file_is_not_read(write: Write) -> None:
    def change(file: h5py.File) -> None:
        file["entry/huge"] = np.bytes_(b"x" * 3_000_000)

    fields = {field.name: field for field in read_master(write(change)).entries[0].fields}
    assert fields["huge"].value is None


def test_small_array_in_a_huge_chunk_is_not_unpacked(write: Write) -> None:
    def change(file: h5py.File) -> None:
        data = file["entry"].create_dataset(
            "bomb", shape=(10,), maxshape=(None,), chunks=(20_000_000,), dtype="f8", compression="gzip"
        )
        data.id.write_direct_chunk((0,), zlib.compress(bytes(160_000_000), 9))

    fields = {field.name: field for field in read_master(write(change)).entries[0].fields}
    assert (fields["bomb"].value, fields["bomb"].chunks) == (None, (20_000_000,))


@pytest.mark.parametrize("points", [33, 10_000])
def test_matrix_is_not_read_for_its_extremes(write: Write, points: int) -> None:
    def change(file: h5py.File) -> None:
        file["entry/sample/matrix"] = np.ones((points, 2))
        file["entry/sample/vector"] = np.ones(points)

    sample = next(group for group in read_master(write(change)).entries[0].walk() if group.nx_class == "NXsample")
    fields = {field.name: field for field in sample.fields}
    assert (fields["matrix"].maximum, fields["vector"].maximum) == (None, 1)
