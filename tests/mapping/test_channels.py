"""Motors that a scan moved, where the others stood, and what it measured."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from ingest.nexus.record import Field
from tests.mapping.record_parts import drafted, entry, field, group, instrument, scan_of

if TYPE_CHECKING:
    from ingest.mapping.drafts import ScanDraft
    from ingest.nexus.record import Group


def moved(scan: ScanDraft) -> list[str]:
    return [motor.name for motor in scan.motors]


def counted(scan: ScanDraft) -> dict[str, tuple[int, ...]]:
    return {counter.name: counter.shape for counter in scan.counters}


def long(name: str, unit: str | None = None, **more: Any) -> Field:
    """Return an array that is too long to be kept, with its extremes."""
    return field(name, None, unit, shape=(1000,), count=1000, **more)


def text(name: str, value: str) -> Field:
    return Field(name, "string", value=value)


def bliss(*members: Field | Group) -> ScanDraft:
    return scan_of(*members, rules="esrf-bliss")


def test_positioner_with_an_array_has_moved_from_its_first_to_its_last_position() -> None:
    way = long("value", "mm", minimum=-1.0, maximum=2.0, first=2.0, last=-0.5)
    (motor,) = scan_of(instrument(group("samx", "NXpositioner", way))).motors
    assert (motor.name, motor.unit, motor.path) == ("samx", "mm", "/entry/instrument/samx/value")
    assert (motor.first, motor.last, motor.low, motor.high, motor.point_count) == (2.0, -0.5, -1.0, 2.0, 1000)


def test_short_way_is_told_by_its_values() -> None:
    (motor,) = scan_of(group("samx", "NXpositioner", field("value", [3.0, 1.0, 2.0]))).motors
    assert (motor.first, motor.last, motor.low, motor.high) == (3.0, 2.0, 1.0, 3.0)


@pytest.mark.parametrize(
    "still",
    [
        field("value", 1.0),
        field("value", [1.0, 1.0, 1.0]),
        field("soft_limit_max", [1.0, 2.0]),
        field("value_set", [1.0, 2.0]),
        field("target_value", [1.0, 2.0]),
        field("raw_value", [1.0, 2.0]),
        text("value", "open"),
    ],
)
def test_what_has_not_moved(still: Field) -> None:
    assert moved(scan_of(group("samx", "NXpositioner", still))) == []


def test_too_long_a_way_to_be_read_is_a_way_still() -> None:
    (motor,) = bliss(instrument(group("rot", "NXpositioner", field("value", None, "deg", shape=(10**6,))))).motors
    assert (motor.name, motor.low, motor.high, motor.point_count) == ("rot", None, None, 10**6)


def test_clocks_are_counters_and_no_motors() -> None:
    clock = group("elapsed_time", "NXpositioner", field("value", [0.0, 1.0]))
    scan = bliss(instrument(clock), group("measurement", "NXcollection", field("elapsed_time", None, "s", shape=(2,))))
    assert (moved(scan), counted(scan)) == ([], {"elapsed_time": (2,)})


def test_bliss_channels_are_counters_but_for_the_moved_motors() -> None:
    measured = group(
        "measurement",
        "NXcollection",
        field("samx", None, "mm", shape=(21,)),
        field("I0", None, "A", shape=(21,)),
        field("basler1", None, shape=(21, 64, 96)),
    )
    scan = bliss(instrument(group("samx", "NXpositioner", long("value", minimum=0.0, maximum=1.0))), measured)
    assert moved(scan) == ["samx"]
    assert counted(scan) == {"I0": (21,), "basler1": (21, 64, 96)}
    assert (scan.counters[0].unit, scan.counters[0].path) == ("A", "/entry/measurement/I0")


def test_named_axes_tell_which_positioner_moved_and_which_was_read_along() -> None:
    eta = group("eta", "NXpositioner", field("eta", [1.0, 2.0], attributes={"target": "/entry/instrument/eta/eta"}))
    ring = group("rc", "NXpositioner", field("rc", [300.1, 300.2]))
    plot = group("data", "NXdata", field("eta", None, shape=(2,)), axes=["eta", "."])
    assert moved(scan_of(instrument(eta, ring), plot)) == ["eta"]
    assert moved(scan_of(instrument(eta, ring))) == ["eta", "rc"]
    assert moved(bliss(instrument(eta, ring), plot)) == ["eta", "rc"]


def test_primary_field_tells_so_too() -> None:
    eta = group("eta", "NXpositioner", field("eta", [1.0, 2.0], attributes={"axis": "1", "primary": "1"}))
    ring = group("rc", "NXpositioner", field("rc", [300.1, 300.2], attributes={"axis": "1"}))
    assert moved(scan_of(instrument(eta, ring))) == ["eta"]


@pytest.mark.parametrize("axes", [["eta", "chi"], "eta,chi", "eta:chi", "[eta,chi]"], ids=str)
def test_axis_of_a_plot_is_a_motor_if_it_stands_among_the_motors(axes: Any) -> None:
    columns = [field(name, None, shape=(11,)) for name in ("eta", "chi", "two_theta")]
    plot = group("data", "NXdata", *columns, signal="I0", axes=axes)
    motors = group("positioners", "NXcollection", field("eta", 1.0), field("chi", 2.0), field("mu", 3.0))
    assert moved(scan_of(plot, motors)) == ["eta", "chi"]
    assert moved(scan_of(plot)) == []


def test_snapshot_of_the_instrument_taken_at_the_start() -> None:
    motors = group("start_positioners", "NXcollection", field("mp_x", 0.87), field("mp_y", 74.5))
    scan = scan_of(instrument(motors))
    assert [(position.name, position.value) for position in scan.positions] == [("mp_x", 0.87), ("mp_y", 74.5)]


def test_axis_that_is_linked_under_another_name() -> None:
    linked = field("x", None, shape=(2,), attributes={"target": "/entry/instrument/stage/value"})
    stage = group("stage", "NXpositioner", field("value", [1.0, 2.0]))
    other = group("rc", "NXpositioner", field("value", [3.0, 4.0]))
    assert moved(scan_of(instrument(stage, other), group("data", "NXdata", linked, axes="x"))) == ["stage"]


def test_transformations_and_the_rotation_of_a_tomography() -> None:
    omega = field("omega", [0.0, 0.1], "deg", attributes={"transformation_type": "rotation"})
    end = field("omega_end", [0.1, 0.2], "deg")
    crystal = scan_of(group("sample", "NXsample", group("transformations", "NXtransformations", omega, end)))
    tooth = scan_of(group("sample", "NXsample", long("rotation_angle", "deg", minimum=0.0, maximum=180.0)))
    assert (moved(crystal), moved(tooth)) == (["omega"], ["rotation_angle"])


def test_where_all_motors_stood_is_told_by_the_scan_that_tells_most() -> None:
    positioners = group(
        "positioners",
        "NXcollection",
        *(field("samx", [0.0, 1.0], "mm"), text("filter", "Al 2"), field("phi", 2.5, "deg")),
    )
    first = entry(instrument(group("positioners", "NXcollection", field("samx", [5.0, 6.0]))), name="1.1")
    draft = drafted(first, entry(instrument(positioners), name="2.1"), rules="esrf-bliss")
    told = [(each.name, each.value, each.unit) for each in draft.positions]
    assert told == [("samx", 0.0, "mm"), ("filter", "Al 2", None), ("phi", 2.5, "deg")]
    assert draft.positions[2].path == "/2.1/instrument/positioners/phi"


def test_geometry_is_no_motor() -> None:
    pixel = field("location", 0.3, "m", attributes={"transformation_type": "translation"})
    assert drafted(entry(group("transformations", "NXtransformations", pixel))).positions == ()


@pytest.mark.parametrize(
    ("plot", "name"),
    [
        (group("data", "NXdata", field("I0", None, shape=(5,)), field("sigma", None, shape=(5,)), signal="I0"), "I0"),
        (group("roi", "NXdata", field("data", None, shape=(5,), attributes={"signal": 1})), "roi"),
        (
            group(
                "data",
                "NXdata",
                field("data", None, shape=(5,), attributes={"target": "/entry/eiger/data"}),
                signal="data",
            ),
            "eiger",
        ),
        (group("mon1", "NXmonitor", field("data", None, shape=(5,))), "mon1"),
    ],
    ids=["named", "by its group", "by what it is linked from", "monitor"],
)
def test_signals_and_monitors_are_counters(plot: Group, name: str) -> None:
    assert counted(scan_of(plot)) == {name: (5,)}


def test_signal_that_nothing_names_is_no_counter() -> None:
    assert counted(scan_of(group("data", "NXdata", field("data", None, shape=(5,)), signal="data"))) == {}


def test_auxiliary_signals_are_counters() -> None:
    fields = [field(name, None, shape=(5,)) for name in ("a", "b", "c", "a_errors")]
    plot = group("data", "NXdata", *fields, signal="a", auxiliary_signals=["b", "c"])
    assert list(counted(scan_of(plot))) == ["a", "b", "c"]


def test_detector_has_the_shape_of_its_data() -> None:
    by_name = group("cam", "NXdetector", field("x", None, shape=(3,)), field("image", None, shape=(5, 64, 96)))
    by_attribute = group("q", "NXdetector", field("m", None, shape=(7, 8), attributes={"interpretation": "image"}))
    bare = group("r", "NXdetector", field("count_time", 0.1))
    shapes = {each.name: each.shape for each in scan_of(instrument(by_name, by_attribute, bare)).detectors}
    assert shapes == {"cam": (5, 64, 96), "q": (7, 8), "r": ()}


def test_name_that_is_no_name_is_left_out() -> None:
    scan = bliss(
        group("measurement", "NXcollection", field("x" * 256, None, shape=(2,))),
        instrument(group("positioners", "NXcollection", field("y" * 256, [1.0, 2.0]))),
    )
    assert (moved(scan), counted(scan)) == ([], {})
