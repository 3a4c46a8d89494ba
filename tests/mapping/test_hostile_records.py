"""Whatever a file holds, mapping it ends in drafts that JSON can carry."""

from __future__ import annotations

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.mapping.inspection import to_inspection
from ingest.mapping.mapping import to_drafts
from ingest.mapping.rules import load_rules
from ingest.nexus.record import Field, FileKind, Group, MasterRecord
from tests.mapping.record_parts import PARIS

NAMES = [
    *[
        "title",
        "name",
        "start_time",
        "end_time",
        "definition",
        "energy",
        "incident_energy",
        "wavelength",
        "temperature",
    ],
    *[
        "probe",
        "type",
        "radiation",
        "value",
        "average_value",
        "minimum_value",
        "maximum_value",
        "identifier",
        "distance",
    ],
    *[
        "sample",
        "instrument",
        "beam",
        "experiment_identifier",
        "count_time",
        "end_reason",
        "short_name",
        "extent",
        "é/..",
    ],
]
CLASSES = [
    *[
        "NXinstrument",
        "NXsample",
        "NXbeam",
        "NXsource",
        "NXmonochromator",
        "NXdetector",
        "NXlog",
        "NXuser",
        "NXsubentry",
    ],
    *["", "@none", "nxsample ", "NXidentifier", "NXcollection", "NXenvironment", "NXcrystal", "NXnote"],
]
UNITS = ["keV", "eV", "A", "K", "degC", "nm", "mm", "m**9", "", "none", "ISO8601", "%", "\x00", "1/0", "percent", "m/0"]
TEXTS = [
    "x-ray",
    "neutron",
    "2009-09-13 20:55:37",
    "9999-99-99",
    "12.4 keV",
    "1e999",
    "09:00:00",
    "NXmx",
    "[redacted]",
    "",
]
numbers = st.one_of(st.floats(), st.integers(), st.sampled_from([0.0, -1.0, 12.4, 1e-300, 7e78, 300.0]))
scalars = st.one_of(numbers, st.booleans(), st.sampled_from(TEXTS), st.text(max_size=20))
values = st.one_of(st.none(), scalars, st.lists(scalars, max_size=4))


@st.composite
def fields(draw: st.DrawFn) -> Field:
    ends = draw(st.one_of(st.none(), st.tuples(st.floats(), st.floats())))
    low, high = ends or (None, None)
    shape = draw(st.sampled_from([(), (0,), (3,), (10, 20)]))
    name, unit = draw(st.sampled_from(NAMES)), draw(st.one_of(st.none(), st.sampled_from(UNITS), st.text(max_size=9)))
    return Field(
        name, "O", shape, draw(values), unit, low, high, attributes={"time_zone": draw(st.sampled_from(TEXTS))}
    )


def groups(inner: st.SearchStrategy[Group] | None) -> st.SearchStrategy[Group]:
    return st.builds(
        Group,
        path=st.sampled_from([f"/e/{name}" for name in NAMES]),
        nx_class=st.sampled_from(CLASSES),
        attributes=st.dictionaries(st.sampled_from(["units", "short_name"]), scalars, max_size=2),
        fields=st.lists(fields(), max_size=5).map(tuple),
        groups=st.just(()) if inner is None else st.lists(inner, max_size=3).map(tuple),
    )


entries = groups(groups(groups(None)))


@settings(max_examples=60, deadline=None)
@given(st.lists(entries, max_size=3), st.sampled_from(["nexus", "esrf-bliss"]))
def test_no_record_breaks_the_mapping(scans: list[Group], rules: str) -> None:
    record = MasterRecord(FileKind.NEXUS, Group("/", attributes={"file_time": "2020-01-01"}), tuple(scans))
    told = to_inspection(to_drafts(record, load_rules(rules), PARIS))
    assert len(told["scans"]) == len(scans)
    json.dumps(told, allow_nan=False)
