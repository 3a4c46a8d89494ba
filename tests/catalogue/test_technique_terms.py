from __future__ import annotations

import pytest
from esrf_ontologies.technique import get_all_techniques, get_technique_metadata

from ingest.catalogue.technique_terms import (
    ESRFET,
    PANET,
    ancestors,
    find_technique,
    load_terms,
    narrower,
    to_search_names,
)


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("http://purl.org/pan-science/PaNET/PaNET01207", "x-ray tomography"),
        ("https://purl.org/pan-science/PaNET/PaNET01207", "x-ray tomography"),
        ("PaNET:PaNET01203", "spin resolved photoelectron spectroscopy"),
        (" PaNET01207 ", "x-ray tomography"),
        ("X-Ray Tomography", "x-ray tomography"),
        ("X\u2010ray tomography", "x-ray tomography"),
        ("SAXS", "small angle x-ray scattering"),
        ("Röntgen technique", "x-ray probe technique"),
        ("x-ray fluorescence", "x-ray fluorescence"),
        ("https://w3id.org/PaN/ESRFET/v0.1.0/#XRF", "x-ray fluorescence"),
        ("https://w3id.org/PaN/ESRFET#XRF", "x-ray fluorescence"),
        ("ESRFET:BCDI", "Bragg Coherent Diffraction Imaging"),
        ("bcdi", "Bragg Coherent Diffraction Imaging"),
        ("Wide-angle X-ray Scattering", "wide angle x-ray scattering"),
        # The short name of one and a name of another.
        ("CXDI", "Coherent X-ray Diffraction Imaging"),
    ],
)
def test_a_term_is_found_by_identifier_and_by_name(text: str, label: str) -> None:
    assert find_technique(text).label == label


@pytest.mark.parametrize(
    "text",
    [
        "",
        "PaNET99999",
        "https://w3id.org/PaN/ESRFET#NO",
        "SXRD",
        "http://purl.org/pan-science/PaNET/PaNET012071",
        "holding a stick",
    ],
)
def test_what_is_no_term_is_none(text: str) -> None:
    assert find_technique(text) is None


@pytest.mark.parametrize(
    ("name", "above"),
    [
        ("x-ray tomography", {"tomography", "x-ray imaging", "imaging", "x-ray probe technique"}),
        # Concluded: x-ray diffraction is diffraction and x-ray probe, diffraction is scattering.
        ("x-ray powder diffraction", {"powder diffraction", "x-ray diffraction", "x-ray scattering", "diffraction"}),
        ("small angle neutron scattering", {"small angle scattering", "neutron probe technique"}),
        ("hard x-ray photoelectron spectroscopy", {"x-ray probe technique", "photoelectron spectroscopy"}),
        ("extended x-ray absorption fine structure", {"x-ray absorption spectroscopy", "spectroscopy"}),
        ("Bragg Coherent Diffraction Imaging", {"coherent diffraction imaging", "x-ray diffraction", "diffraction"}),
        ("BioSAXS", {"small angle x-ray scattering", "x-ray scattering"}),
        ("soft x-ray probe technique", {"x-ray probe technique", "photon probe technique"}),
    ],
)
def test_what_a_technique_falls_under(name: str, above: set[str]) -> None:
    assert above <= {term.label for term in ancestors(find_technique(name).pid)}


def test_nearest_come_first() -> None:
    labels = [term.label for term in ancestors(find_technique("x-ray tomography").pid)]
    assert set(labels[:2]) == {"tomography", "x-ray imaging"}
    assert labels.index("x-ray probe technique") < labels.index("photon probe technique")


def test_neutrons_do_not_fall_under_photons() -> None:
    below = {term.label for term in narrower(find_technique("photon probe technique").pid)}
    assert "x-ray tomography" in below
    assert not {label for label in below if "neutron" in label}


def test_above_and_below_are_each_others_inverse_without_a_circle() -> None:
    for term in load_terms().values():
        above = ancestors(term.pid)
        assert term not in above
        assert len(set(above)) == len(above)
    scattering = find_technique("x-ray scattering")
    assert [term for term in load_terms().values() if scattering in ancestors(term.pid)] == list(
        narrower(scattering.pid)
    )


def test_each_broader_term_exists_and_each_label_is_one_terms() -> None:
    terms = load_terms()
    assert len(terms) == 380 + 80
    assert {above for term in terms.values() for above in term.broader} <= set(terms)
    assert all(find_technique(term.label) is term for term in terms.values())


def test_unknown_identifiers_fall_under_nothing() -> None:
    assert ancestors("https://example.org/1") == narrower("https://example.org/1") == ()


def test_a_technique_is_found_by_its_other_names_and_what_is_above_but_not_by_the_tops() -> None:
    names = to_search_names("XRD", f"{PANET}01216")
    assert {"x-ray diffraction", "x-ray scattering", "scattering technique"} <= set(names)
    assert not {"XRD", "photon and neutron technique", "defined by experimental probe"} & set(names)
    assert to_search_names("x-ray diffraction", None) == to_search_names("x-ray diffraction", f"{PANET}01216")
    assert to_search_names("our own way", None) == ()


def test_what_a_beamline_of_esrf_writes_is_known() -> None:
    """Each technique by the identifiers, with and without version, and by the short name."""
    for technique in get_all_techniques():
        written = get_technique_metadata(technique.iri)
        term = find_technique(written.get_scan_metadata()["identifier_technique_1"])
        assert term is not None, technique.iri
        assert technique.iri in (term.pid, *term.same_as)
        assert find_technique(written.get_dataset_metadata()["technique_pid"]) is term
        assert find_technique(technique.iri.removeprefix(ESRFET)) is term
        assert ancestors(term.pid), technique.iri


def test_a_term_of_both_has_the_names_and_identifiers_of_both() -> None:
    term = find_technique("XRPD")
    assert (term.pid, term.label, term.same_as) == (f"{PANET}01101", "x-ray powder diffraction", (f"{ESRFET}XRPD",))
    assert {"XPD", "XRPD"} <= set(term.alternatives)
    assert "XRPD" in to_search_names(term.label, term.pid)
