from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from ingest.mapping.drafts import Origin
from tests.mapping.record_parts import drafted, entry, field, group, instrument, scan_of, source

if TYPE_CHECKING:
    from ingest.nexus.record import Field, Group


@pytest.mark.parametrize(
    "text",
    [
        "",
        "  ",
        "UNKNOWN",
        "none",
        "_",
        "{Entry Name}",
        "--",
        "Please set a title",
    ],
)
def test_placeholders_are_no_titles(text: str) -> None:
    assert scan_of(field("title", text)).title is None


def test_placeholder_lets_the_next_place_speak() -> None:
    scan = scan_of(field("title", "UNKNOWN"), group("sub", "NXsubentry", field("title", "OLEDs")))
    assert (scan.title.value, scan.title.path) == ("OLEDs", "/entry/sub/title")


def test_nested_placeholder_array_is_empty() -> None:
    assert scan_of(group("sample", "NXsample", field("name", ["none"]))).sample_name is None


def test_number_for_a_text_is_written_plainly() -> None:
    assert scan_of(field("experiment_identifier", 876380.0)).experiment_identifier.value == "876380"


def test_identifier_may_be_a_group() -> None:
    scan = scan_of(group("experiment_identifier", "NXidentifier", field("identifier", "hc1")))
    assert scan.experiment_identifier.path == "/entry/experiment_identifier/identifier"


def test_proposal_of_a_user_is_only_inferred() -> None:
    scan = scan_of(group("user1", "NXuser", field("name", "Ada"), field("proposal_number", "GUP1")))
    assert (scan.experiment_identifier.value, scan.experiment_identifier.origin) == ("GUP1", Origin.INFERRED)


def test_definition_is_kept_whatever_it_says() -> None:
    assert scan_of(field("definition", "pulsedTD")).definition.value == "pulsedTD"
    inner = group("experiment", "NXsubentry", field("definition", "NXmx"))
    assert scan_of(inner).definition.path == "/entry/experiment/definition"


def test_instrument_without_a_name_is_called_as_its_group() -> None:
    scan = scan_of(group("DIFFABS", "NXinstrument"))
    assert (scan.instrument_name.value, scan.instrument_name.origin) == ("DIFFABS", Origin.INFERRED)


@pytest.mark.parametrize("name", ["instrument", "instrument_1", "sasinstrument", "Instrument"])
def test_general_group_name_is_no_instrument_name(name: str) -> None:
    assert scan_of(group(name, "NXinstrument")).instrument_name is None


def test_short_name_attribute_serves() -> None:
    scan = scan_of(group("instrument", "NXinstrument", short_name="I04"))
    assert scan.instrument_name.path == "/entry/instrument@short_name"


def test_root_attribute_is_a_fallback() -> None:
    assert scan_of(group("instrument", "NXinstrument"), instrument="FOCUS").instrument_name.path == "/@instrument"


@pytest.mark.parametrize("nx_class", ["nxinstrument", "NXInstrument ", "@none", ""])
def test_wrong_class_spelling_and_name_as_hint(nx_class: str) -> None:
    assert scan_of(group("instrument", nx_class, field("name", "platypus"))).instrument_name.value == "platypus"


def test_name_is_no_hint_where_there_is_a_class() -> None:
    assert scan_of(group("sample", "NXnote", field("name", "x"))).sample_name is None


def test_source_may_stand_in_the_entry() -> None:
    assert scan_of(source(field("name", "SINQ"))).source_name.value == "SINQ"


def test_laser_beside_the_source_is_not_the_source() -> None:
    laser = group("laser01", "NXsource", field("name", "Ti:Sa"), field("type", "laser"))
    scan = scan_of(instrument(laser, source(field("name", "ESRF"), field("type", "Synchrotron X-ray Source"))))
    assert (scan.source_name.value, scan.source_type.value) == ("ESRF", "Synchrotron X-ray Source")


def test_probe_told_by_the_type_is_inferred() -> None:
    scan = scan_of(instrument(source(field("type", "Synchrotron X-ray Source"), probe=None)))
    assert (scan.probe.value, scan.probe.origin) == ("X-ray", Origin.INFERRED)


def test_sample_of_the_instrument_and_the_outermost_one_first() -> None:
    nested = group("sample", "NXsample", group("part", "NXsample", field("name", "inner")), field("name", "outer"))
    assert scan_of(instrument(nested)).sample_name.value == "outer"


def test_sample_stage_is_not_the_sample() -> None:
    stage = group("a_stage", "NXsample", field("name", "hexapod"))
    assert scan_of(stage, group("specimen", "NXsample", field("name", "LaB6"))).sample_name.value == "LaB6"


def test_times_without_a_zone_take_the_roots_and_say_so() -> None:
    scan = scan_of(field("start_time", "2009-09-13 20:55:37"), field("end_time", "2009-09-13T20:58:20+00:00"))
    assert scan.start_time.value.instant == datetime(2009, 9, 13, 18, 55, 37, tzinfo=UTC)
    assert (scan.start_time.value.zone_known, scan.end_time.value.zone_known) == (False, True)
    assert scan.start_time.original == "2009-09-13 20:55:37"


def test_time_of_day_takes_its_day_from_the_root() -> None:
    scan = scan_of(field("start_time", "23:56:23"), field("end_time", "00:10:00"), file_time="2008-12-24 09:56:23+1000")
    assert scan.start_time.value.written == "2008-12-24T23:56:23"
    assert scan.end_time.value.written == "2008-12-25T00:10:00"


def test_time_of_day_alone_is_no_time() -> None:
    assert scan_of(field("start_time", "09:56:23")).start_time is None


def test_zone_in_an_attribute() -> None:
    scan = scan_of(field("start_time", "2015-05-06T12:00:00.", attributes={"time_zone": "-0500"}))
    assert (scan.start_time.value.instant.hour, scan.start_time.value.zone_known) == (17, True)


def test_end_before_start_is_flagged() -> None:
    draft = drafted(entry(field("start_time", "2009-09-13 20:55:37"), field("end_time", "2009-09-13 20:50:37")))
    assert "lies before" in draft.flags[0]


@pytest.mark.parametrize(
    ("value", "unit", "kelvin"),
    [
        (20.0, "degC", 293.15),
        (20.0, "C", 293.15),
        (290.0, "Kelvin", 290.0),
        (300.0, None, 300.0),
        (4.2, None, 4.2),
        (22.0, None, None),
        (0.0, "K", None),
        (-327.68, "degC", None),
        ("4.2 K", None, 4.2),
    ],
)
def test_sample_temperature(value: float | str, unit: str | None, kelvin: float | None) -> None:
    scan = scan_of(group("sample", "NXsample", field("temperature", value, unit)))
    assert (scan.temperature and scan.temperature.value.value) == pytest.approx(kelvin)


def test_temperature_of_a_detector_or_moderator_is_not_the_samples() -> None:
    detector = group("detector", "NXdetector", field("temperature", 250.0, "K"))
    moderator = group("moderator", "NXmoderator", field("temperature", 20.0, "K"))
    assert scan_of(instrument(detector, moderator)).temperature is None


def test_set_point_is_no_temperature() -> None:
    log = group("temperature_setpoint", "NXlog", field("value", [300.0, 300.0], "K"))
    assert scan_of(group("sample", "NXsample", log)).temperature is None


def log(*members: Field | Group) -> Group:
    return group("sample", "NXsample", group("temperature", "NXlog", *members))


def test_log_becomes_its_range() -> None:
    scan = scan_of(log(field("value", None, "K", shape=(5000,), minimum=289.0, maximum=291.0, count=5000)))
    value = scan.temperature.value
    assert (value.bottom, value.top, value.count) == (289.0, 291.0, 5000)
    assert scan.temperature.path == "/entry/sample/temperature/value"


def test_empty_log_is_missing_whatever_its_average_says() -> None:
    assert scan_of(log(field("value", None, "K", shape=(0,)), field("average_value", 12.0, "K"))).temperature is None


def test_log_whose_values_were_not_read_says_its_extremes_then_its_average() -> None:
    unread = field("value", None, "K", shape=(10**7,))
    extremes = field("minimum_value", 4.0), field("maximum_value", 5.0)
    assert scan_of(log(unread, *extremes)).temperature.value.top == 5.0
    assert scan_of(log(unread, field("average_value", 4.5, "K"))).temperature.value.value == 4.5
    assert scan_of(log(unread, field("average_value", 14.5))).temperature.original_unit == unread.unit


def test_scanned_field_is_a_range_and_a_constant_one_a_value() -> None:
    scan = scan_of(group("sample", "NXsample", field("temperature", [10.0, 20.0, 15.0], "K")))
    assert (scan.temperature.value.bottom, scan.temperature.value.top, scan.temperature.value.value) == (
        10.0,
        20.0,
        None,
    )
    scan = scan_of(group("sample", "NXsample", field("temperature", [10.0, 10.0], "K")))
    assert scan.temperature.value.value == 10.0


def test_uninitialised_numbers_are_no_values() -> None:
    assert scan_of(group("sample", "NXsample", field("temperature", 7e78, "K"))).temperature is None


def test_detectors_are_all_listed_with_what_describes_them() -> None:
    scan = scan_of(
        instrument(
            group("pil100k", "NXdetector", field("description", "Pilatus 100K")),
            group("psd", "NXpsd"),
            group("tfg", "nxdetector", field("local_name", "unknown")),
        )
    )
    assert [(one.name, one.label) for one in scan.detectors] == [
        ("pil100k", "Pilatus 100K"),
        ("psd", None),
        ("tfg", None),
    ]


def test_scans_are_ordered_by_number() -> None:
    names = ["10.1", "2.1", "2.10", "2.2"]
    assert [scan.entry for scan in drafted(*(entry(name=name) for name in names)).scans] == [
        "/2.1",
        "/2.2",
        "/2.10",
        "/10.1",
    ]
    names = ["entry1", "entry10", "entry2"]
    assert [scan.entry for scan in drafted(*(entry(name=name) for name in names)).scans] == [
        "/entry1",
        "/entry2",
        "/entry10",
    ]


def test_scans_without_a_number_are_ordered_by_start() -> None:
    late = entry(field("start_time", "2020-01-02T00:00:00Z"), name="a")
    early = entry(field("start_time", "2020-01-01T00:00:00Z"), name="b")
    assert [scan.entry for scan in drafted(late, early).scans] == ["/b", "/a"]


def test_number_of_a_scan() -> None:
    assert drafted(entry(name="12.1")).scans[0].number == 12.1
    assert drafted(entry(name="entry")).scans[0].number is None


def test_a_scan_that_ends_in_the_second_pass_of_an_hour_ends_after_its_start() -> None:
    draft = drafted(entry(field("start_time", "2026-10-25T02:50:00"), field("end_time", "2026-10-25T02:10:00")))
    (scan,) = draft.scans
    assert (scan.start_time.value.instant.minute, scan.start_time.value.instant.hour) == (50, 0)
    assert (scan.end_time.value.instant.hour, scan.end_time.value.written) == (1, "2026-10-25T02:10:00")
    assert draft.flags == ()


def test_the_order_of_scans_tells_the_two_hours_apart() -> None:
    clocks = ["01:50", "02:20", "02:50", "02:10", "02:40", "03:05"]
    entries = [
        entry(field("start_time", f"2026-10-25T{clock}:00"), field("end_time", f"2026-10-25T{clock}:30"), name=f"{n}.1")
        for n, clock in enumerate(clocks, 1)
    ]
    scans = drafted(*entries).scans
    began = [scan.start_time.value.instant.strftime("%H:%M") for scan in scans]
    assert began == ["23:50", "00:20", "00:50", "01:10", "01:40", "02:05"]
    assert [(scan.end_time.value.instant - scan.start_time.value.instant).seconds for scan in scans] == [30] * 6


def test_scans_in_another_order_than_their_times_stay_as_they_are() -> None:
    entries = [
        entry(field("start_time", f"2026-06-25T{clock}:00"), name=f"{n}.1")
        for n, clock in enumerate(["09:50", "08:20"], 1)
    ]
    assert [scan.start_time.value.instant.hour for scan in drafted(*entries).scans] == [7, 6]


def test_times_may_be_attributes_of_the_entry() -> None:
    times = {"start_time": "2026-02-04T09:45:43", "end_time": "2026-02-04T09:46:14"}
    (scan,) = drafted(group("/entry", "NXentry", **times)).scans
    assert (scan.start_time.path, scan.start_time.value.written) == ("/entry@start_time", "2026-02-04T09:45:43")
    assert scan.end_time.path == "/entry@end_time"
    (scan,) = drafted(group("/entry", "NXentry", field("start_time", "2026-02-04T09:45:40"), **times)).scans
    assert scan.start_time.path == "/entry/start_time"
