from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from pydantic import ValidationError

from ingest.catalogue.technique_terms import ESRFET, PANET, find_technique
from ingest.mapping.drafts import Origin
from ingest.mapping.rule_schema import RuleFile
from ingest.mapping.rules import shipped_rules
from ingest.mapping.techniques import is_over_edge, load_edges, to_stated
from tests.mapping.record_parts import drafted, entry, field, group, instrument, source

if TYPE_CHECKING:
    from ingest.mapping.drafts import TechniqueDraft
    from ingest.nexus.record import Field, Group

XRF, XRD = f"{ESRFET.removesuffix('#')}/v0.1.0/#XRF", f"{ESRFET.removesuffix('#')}/v0.1.0/#XRD"


def techniques_of(*members: Field | Group, rules: str = "nexus", name: str = "entry") -> tuple[TechniqueDraft, ...]:
    return drafted(entry(*members, name=name), rules=rules).techniques


def names_of(*members: Field | Group, rules: str = "nexus") -> list[str]:
    return [draft.value for draft in techniques_of(*members, rules=rules)]


def test_identifiers_that_bliss_writes_are_stated_and_kept() -> None:
    first, second = techniques_of(
        field("identifier_technique_1", XRD), field("identifier_technique_2", XRF), rules="esrf-bliss", name="1.1"
    )
    assert (first.value, first.pid, first.origin) == ("x-ray diffraction", f"{PANET}01216", Origin.READ)
    assert (first.path, first.original) == ("/1.1/identifier_technique_1", XRD)
    assert (second.value, second.original) == ("x-ray fluorescence", XRF)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("XRF XRD", ["x-ray fluorescence", "x-ray diffraction"]),
        ("SAXS, x-ray fluorescence", ["small angle x-ray scattering", "x-ray fluorescence"]),
        (f"{XRD} {XRF}", ["x-ray diffraction", "x-ray fluorescence"]),
        (f"{PANET}01203", ["spin resolved photoelectron spectroscopy"]),
        ("small angle x-ray scattering", ["small angle x-ray scattering"]),
        (f"{ESRFET}BCDI", ["Bragg Coherent Diffraction Imaging"]),
        (f"{ESRFET}NEWER", ["NEWER"]),
        (f"{PANET}09999", ["PaNET09999"]),
        ("NXmx", []),
        ("XRD of iron", []),
        ("my own method", []),
        (f"{ESRFET}{'x' * 200}", []),
        (f"{ESRFET}XRD\0", []),
        ("XRD " * 1000, []),
        ("", []),
    ],
)
def test_techniques_in_one_text(text: str, names: list[str]) -> None:
    assert [name for name, _ in to_stated(text)] == names


def test_techniques_in_an_array_and_over_scans_are_each_said_once() -> None:
    scans = [entry(field("technique_pid", [XRD, XRF]), name=name) for name in ("one", "two")]
    drafts = drafted(*scans).techniques
    assert [(draft.value, draft.path) for draft in drafts] == [
        ("x-ray diffraction", "/one/technique_pid"),
        ("x-ray fluorescence", "/one/technique_pid"),
    ]


def test_a_definition_that_is_a_technique_is_one() -> None:
    (draft,) = techniques_of(field("definition", "XRPD"))
    assert (draft.value, draft.origin) == ("x-ray powder diffraction", Origin.READ)


def test_of_several_definitions_each_is_concluded_from() -> None:
    assert names_of(field("definition", "NXmx, NXfluo")) == ["macromolecular crystallography", "x-ray fluorescence"]


def test_what_is_inferred_and_says_less_than_what_is_stated_is_left_out() -> None:
    stated = field("technique_pid", f"{ESRFET}DCT")
    assert names_of(field("definition", "NXxrd"), stated) == ["Diffraction Contrast Tomography"]
    # Stated twice on two levels: the file's own word.
    assert names_of(field("technique_pid", f"{ESRFET}DCT {ESRFET}XRD")) == [
        "Diffraction Contrast Tomography",
        "x-ray diffraction",
    ]


def test_stated_goes_before_inferred() -> None:
    (draft,) = techniques_of(field("definition", "NXfluo"), field("technique", "XRF"))
    assert (draft.origin, draft.path) == (Origin.READ, "/entry/technique")


ANGLES = {"value": None, "unit": "deg", "shape": (900,), "minimum": 0.0, "maximum": 179.8, "first": 0.0, "last": 179.8}


def turned(**more: object) -> Group:
    return group("sample", "NXsample", field("name", "bone"), field("rotation_angle", **ANGLES | more))


DETECTOR = group("detector", "NXdetector", field("data", shape=(900, 2048, 2048)), field("image_key", shape=(900,)))


@pytest.mark.parametrize(
    ("probe", "label"), [("x-ray", "x-ray tomography"), ("neutron", "tomography"), (None, "tomography")]
)
def test_half_a_turn_with_marked_frames_is_tomography(probe: str | None, label: str) -> None:
    (draft,) = techniques_of(instrument(source(probe=probe), DETECTOR), turned())
    assert (draft.value, draft.origin) == (label, Origin.INFERRED)
    assert (draft.path, draft.original) == ("/entry/sample/rotation_angle", "0.0 ... 179.8")


@pytest.mark.parametrize(
    "members",
    [
        (instrument(source(), DETECTOR), turned(maximum=170.0)),
        (instrument(source(), DETECTOR), turned(shape=(20,))),
        (instrument(source(), DETECTOR), turned(unit=None)),
        (instrument(source(), group("detector", "NXdetector", field("data", shape=(900, 2, 2)))), turned()),
        (instrument(source(), DETECTOR), group("sample", "NXsample", field("rotation_angle", 12.0, "deg"))),
    ],
    ids=["no half turn", "few frames", "no unit", "no marks", "no turn"],
)
def test_less_is_no_tomography(members: tuple[Group, ...]) -> None:
    assert names_of(*members) == []


def test_what_tomography_of_bliss_says_of_itself() -> None:
    told = group("technique", "NXcollection", group("scan", "", field("tomo_n", 3000), field("scan_range", 360.0)))
    (draft,) = techniques_of(told, rules="esrf-bliss", name="1.1")
    assert (draft.value, draft.origin) == ("x-ray tomography", Origin.INFERRED)
    assert names_of(group("technique", "NXcollection", field("tomo_n", 3000)), rules="esrf-bliss") == []


@pytest.mark.parametrize(("title", "names"), [("tomo:fullturn", ["x-ray tomography"]), ("tomo:dark", []), ("tomo", [])])
def test_what_a_scan_is_called_may_tell(title: str, names: list[str]) -> None:
    assert names_of(field("title", title), rules="esrf-bliss") == names


def energies(low: float, high: float, unit: str | None = "keV", points: int = 61) -> Group:
    ends = {"minimum": low, "maximum": high, "first": low, "last": high}
    return group("energy", "NXpositioner", field("value", shape=(points,), unit=unit, **ends))


def counted(*names: str, points: int = 61) -> Group:
    return group("measurement", "NXcollection", *(field(name, shape=(points,)) for name in names))


def test_energy_over_an_edge_before_and_behind_the_sample_is_absorption() -> None:
    (draft,) = techniques_of(instrument(source(), energies(7.0, 7.3)), counted("i0", "mu_trans"))
    assert (draft.value, draft.origin) == ("x-ray absorption spectroscopy", Origin.INFERRED)
    assert (draft.path, draft.original) == ("/entry/instrument/energy/value", "7.0 ... 7.3")


def test_absorption_is_told_where_no_probe_is_named() -> None:
    for named in (source(probe=None), group("machine", "NXsource", field("type", "Synchrotron"))):
        assert names_of(instrument(named, energies(31.6, 32.6)), counted("I0_eh1", "I1_eh1")) == [
            "x-ray absorption spectroscopy"
        ]


COPPER = group("sample", "NXsample", field("chemical_formula", "CuO"))


@pytest.mark.parametrize(
    "members",
    [
        (instrument(source(), energies(7.0, 7.3)), counted("diode")),
        (instrument(source(), energies(7.0, 7.3)), counted("mu_trans")),
        (instrument(source(), energies(7.0, 7.3, points=7)), counted("i0", "i1")),
        (instrument(source(), energies(7.0, 7.3, unit=None)), counted("i0", "i1")),
        (instrument(source(), energies(7.0, 7.3, unit="mm")), counted("i0", "i1")),
        (instrument(source(), energies(5.0, 20.0)), counted("i0", "i1")),
        (instrument(source(), energies(7.100, 7.125)), counted("i0", "i1")),
        (instrument(source(), energies(115.7, 115.9)), counted("i0", "i1")),
        (instrument(source(probe="neutron"), energies(7.0, 7.3)), counted("i0", "i1")),
        (instrument(source(), energies(7.0, 7.3)), counted("i0", "i1"), COPPER),
    ],
)
def test_other_scans_of_an_energy_are_no_absorption(members: tuple[Group, ...]) -> None:
    assert names_of(*members) == []


@pytest.mark.parametrize(
    ("low", "high", "formula", "is_over"),
    [
        (7000, 7300, "", True),
        (7000, 7300, "Fe2O3", True),
        (7000, 7300, "CuO", False),
        (7000, 7300, "Xx", True),
        (7105, 7300, "Fe", False),
        (7000, 7130, "Fe", False),
        (13000, 13100, "Pb", True),
    ],
)
def test_edges(low: float, high: float, formula: str, is_over: bool) -> None:
    assert is_over_edge(low, high, formula) is is_over


def test_edges_are_those_of_the_elements() -> None:
    edges = load_edges()
    assert edges["Fe"][0] == 7112
    assert edges["Cu"] == (8979, 1096.7, 952.3, 932.7)
    assert all(energy >= 100 for energies in edges.values() for energy in energies)
    assert {"H", "He", "Li"}.isdisjoint(edges)


def test_each_rule_names_its_term_as_the_term_is_called() -> None:
    rules = [rule for each in shipped_rules() for rule in each.file.techniques]
    assert all(find_technique(rule.pid).label == rule.name for rule in rules)
    assert len(rules) > 30


@pytest.mark.parametrize(
    ("rule", "problem"),
    [
        ({"definition": "NXtomo", "name": "x-ray tomography", "pid": f"{PANET}01203"}, "spin resolved"),
        ({"definition": "NXtomo", "name": "x-ray tomography", "pid": f"{PANET}09999"}, "no term"),
        ({"name": "x-ray tomography", "pid": f"{PANET}01207"}, "is told by"),
    ],
)
def test_a_rule_that_cannot_be_meant_is_refused(rule: dict[str, str], problem: str) -> None:
    with pytest.raises(ValidationError, match=problem):
        RuleFile.model_validate({"name": "mine", "version": "1", "techniques": [rule]})
