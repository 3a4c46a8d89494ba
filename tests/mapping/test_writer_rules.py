"""The rule files of single writers: what tells them, and what they do otherwise than the default."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ingest.mapping.drafts import Origin
from ingest.mapping.paths import match_path
from ingest.mapping.rules import choose_rules, load_rules, shipped_rules
from ingest.rulebook import Rulebook
from tests.mapping.record_parts import entry, field, group, instrument, record, scan_of, source

if TYPE_CHECKING:
    from ingest.nexus.record import Field, Group, Value


def source_named(name: str) -> Group:
    return group("inst", "NXinstrument", group("src", "NXsource", field("name", name)))


def device(nx_class: str, tango_name: str) -> Group:
    return group("I1", "NXinstrument", group("device", nx_class, field("controller_record", tango_name)))


def specific(name: str, value: Value) -> Group:
    inner = group("detectorSpecific", "", field(name, value))
    return group("instrument", "NXinstrument", group("detector", "NXdetector", inner))


@pytest.mark.parametrize(
    ("member", "name"),
    [
        (field("site_name", "ANSTO"), "ansto"),
        (field("sics_release", "RELEASE-2_5"), "ansto"),
        (group("experiment", "NXnote", field("gumtree_version", "UNKNOWN")), "ansto"),
        (field("definition", "NXcanSAS"), "cansas"),
        (group("sub", "NXsubentry", field("definition", ["NXcanSAS"])), "cansas"),
        (specific("eiger_fw_version", "release-2020.2.5"), "dectris"),
        (specific("data_collection_date", "2020-02-05T10:00:00"), "dectris"),
        (field("program_name", "DECTRIS-DAQ"), "dectris"),
        (field("program_name", "dials.export_nxmx"), "dials"),
        (group("sub", "NXsubentry", field("program_name", "dials.export_nxmx")), "dials"),
        (field("program_name", "GDA 9.12.0"), "dls-gda"),
        (group("diamond_scan", "NXcollection", field("scan_rank", 2.0)), "dls-gda"),
        (group("solstice_scan", "NXcollection"), "dls-gda"),
        (group("x", "NXpositioner", field("value", 1.0), gda_scannable_name="stagex"), "dls-gda"),
        (field("entry_identifier_uuid", "90d87f9a"), "ess"),
        (field("program_name", "ISISICP.EXE"), "isis"),
        (field("IDF_version", 2.0), "isis"),
        (field("definition", "NXSPE"), "nxspe"),
        (source_named("SINQ, Paul Scherrer Institute"), "sinq"),
        (source_named("SOLEIL"), "soleil"),
        (device("NXpositioner", "D13-1-C03/OP/MONO-MT_C1"), "soleil"),
        (device("NXslit", "I14-C-C02/EX/FENT_H.1"), "soleil"),
        (field("definition", "NXcanSAS_like"), "nexus"),
        (field("program_name", "a GDA"), "nexus"),
        (group("selog", ""), "nexus"),
        (device("NXpositioner", "XF:11ID/mono"), "nexus"),
        (specific("software_version", "1.0"), "nexus"),
    ],
)
def test_a_writer_is_told_by_what_stands_in_the_first_entry(member: Field | Group, name: str) -> None:
    assert choose_rules(record(entry(member), entry(name="second")), shipped_rules()).name == name
    assert choose_rules(record(entry(name="first"), entry(member)), shipped_rules()).name == "nexus"


@pytest.mark.parametrize(
    ("attributes", "name"),
    [
        ({"creator": "kafka-to-nexus commit aab9b41"}, "ess"),
        ({"NeXus_repository": "https://github.com/FAIRmat-NFDI/nexus_definitions"}, "pynxtools"),
        ({"instrument": "SANS at SINQ"}, "sinq"),
        ({"SPEC_file": "samplecheck_7_17_03"}, "spec2nexus"),
        ({"creator": "Synchrotron SOLEIL"}, "soleil"),
        ({"creator": "NXscanH5_FileRecorder"}, "sardana"),
        ({"instrument": "SANS"}, "nexus"),
    ],
)
def test_a_writer_is_told_by_an_attribute_of_the_root(attributes: dict[str, str], name: str) -> None:
    assert choose_rules(record(entry(), **attributes), shipped_rules()).name == name


def test_a_writer_is_told_by_an_attribute_of_the_entry() -> None:
    cansas = group("e", "NXentry", canSAS_class="SASentry")
    assert choose_rules(record(cansas), shipped_rules()).name == "cansas"


def test_some_evidence_speaks_against_a_writer() -> None:
    inner = group("detectorSpecific", "", field("photon_energy", 8000.0, "eV"), field("eiger_fw_version", "1.8"))
    source = group("source", "NXsource", field("probe", "x-ray"))
    mono = group("mono", "NXmonochromator", field("wavelength", 1.5419, "angstrom"))
    members = instrument(group("detector", "NXdetector", inner), source, mono)
    assert choose_rules(record(entry(members)), shipped_rules()).name == "nexus"


def test_weak_evidence_adds_up() -> None:
    logs = group("selog", ""), group("framelog", "")
    assert choose_rules(record(entry(*logs)), shipped_rules()).name == "isis"


def test_a_file_without_entries_is_nobodys() -> None:
    assert choose_rules(record(), shipped_rules()).name == "nexus"


@pytest.mark.parametrize(
    ("rules", "text"),
    [
        ("dials", "FROM_DIALS"),
        ("dls-gda", "Scan of sample with GDA"),
        ("dls-gda", "0-0"),
        ("pynxtools", "Name Surname"),
    ],
)
def test_a_writers_placeholders_are_its_own(rules: str, text: str) -> None:
    assert scan_of(field("title", text), rules=rules).title is None
    assert scan_of(field("title", text)).title is not None


def test_a_proposal_may_be_a_group_with_its_number() -> None:
    scan = scan_of(group("proposal", "", field("number", 2019001)))
    assert (scan.experiment_identifier.value, scan.experiment_identifier.path) == ("2019001", "/entry/proposal/number")


def test_ansto_says_title_and_proposal_in_a_note() -> None:
    note = group("experiment", "NXnote", field("title", "OLEDs"), field("proposal", "P1234"))
    scan = scan_of(field("title", "of the entry"), note, rules="ansto")
    assert (scan.title.value, scan.title.path) == ("OLEDs", "/entry/experiment/title")
    assert scan.experiment_identifier.path == "/entry/experiment/proposal"


@pytest.mark.parametrize(
    ("radiation", "probe", "source_type"),
    [
        ("neutron", "neutron", None),
        ("x-ray", "x-ray", None),
        ("Spallation Neutron Source", "Neutron", "Spallation Neutron Source"),
    ],
)
def test_cansas_radiation_is_a_probe_or_a_type(radiation: str, probe: str, source_type: str | None) -> None:
    source = group("sassource", "NXsource", field("radiation", radiation))
    scan = scan_of(group("sasinstrument", "NXinstrument", source), rules="cansas")
    assert (scan.source_type and scan.source_type.value) == source_type
    assert (scan.probe.value, scan.probe.origin is Origin.INFERRED) == (probe, source_type is not None)


def test_cansas_sample_is_its_id() -> None:
    assert scan_of(group("sassample", "NXsample", field("ID", "AF1410-10")), rules="cansas").sample_name.value == (
        "AF1410-10"
    )


def dectris(*members: Field, beam: Group | None = None, start: str | None = None) -> list[Field | Group]:
    inner = group("detectorSpecific", "", *members)
    detector = group("detector", "NXdetector", inner)
    omega = group("goniometer", "NXtransformations", field("omega", None, "degree", shape=(1800,)))
    parts = [instrument(detector, *([beam] if beam else [])), group("sample", "NXsample", omega)]
    return [*parts, *([field("start_time", start)] if start else [])]


def test_dectris_says_start_energy_and_images_in_its_own_group() -> None:
    armed, energy = field("data_collection_date", "2017-05-10T13:54:35"), field("photon_energy", 12658.0, "eV")
    scan = scan_of(*dectris(armed, energy), rules="dectris")
    assert scan.start_time.path == "/entry/instrument/detector/detectorSpecific/data_collection_date"
    assert (scan.incident_energy.value.value, scan.point_count.value) == (12.658, 1800)


def test_dectris_own_group_stands_behind_the_standard_places() -> None:
    armed, energy = field("data_collection_date", "2017-05-10T13:54:35"), field("photon_energy", 12000.0, "eV")
    beam = group("beam", "NXbeam", field("incident_energy", 12658.0, "eV"))
    scan = scan_of(*dectris(armed, energy, beam=beam, start="2017-05-10T13:54:40"), rules="dectris")
    assert scan.start_time.path == "/entry/start_time"
    assert scan.incident_energy.value.value == 12.658


def test_gda_says_the_command_of_an_mscan_in_the_group_of_the_scan() -> None:
    for name, of in (("diamond_scan", "scan_command"), ("solstice_scan", "scan_cmd")):
        scan = scan_of(group(name, "NXcollection", field(of, "mscan(grid(...))")), rules="dls-gda")
        assert scan.command.path == f"/entry/{name}/{of}"


def test_gda_keeps_what_a_plan_of_bluesky_was_told() -> None:
    sample = group("sample_info", "NXcollection", field("name", "cuprate 1"))
    plan = group("plan_metadata", "NXcollection", field("instrument_session", "cm44163-4"), sample)
    crystal = group("xtal", "NXcollection", field("energy_kev", [76.69, 76.69]))
    machine = group("synchrotron", "NXsource", field("probe", "x-ray"))
    scan = scan_of(plan, instrument(machine, crystal), rules="dls-gda")
    assert (scan.experiment_identifier.value, scan.sample_name.value) == ("cm44163-4", "cuprate 1")
    assert (scan.incident_energy.value.value, scan.incident_energy.value.unit) == (76.69, "keV")


def apstools(*members: Field) -> Group:
    metadata = group("metadata", "NXnote", field("instrument_name", "polar-4idg"), field("num_points", 21), *members)
    return instrument(group("bluesky", "NXnote", field("plan_name", "rel_scan"), metadata))


def test_title_of_sardana_is_the_macro() -> None:
    program, title = field("program_name", "sardana (NXscanH5_FileRecorder)"), field("title", "ascan mot01 0 10 5 0.1")
    assert choose_rules(record(entry(program, title)), shipped_rules()).name == "sardana"
    assert scan_of(program, title, rules="sardana").command.value == "ascan mot01 0 10 5 0.1"


def test_apstools_keeps_the_metadata_of_a_run_in_a_note() -> None:
    run = apstools(field("sample", "EuAl4 2"), field("proposal_id", "1012345"))
    named_by_default = scan_of(instrument(source(field("name", "Bluesky framework"))), rules="apstools")
    assert (named_by_default.source_name, named_by_default.probe.value) == (None, "x-ray")
    assert choose_rules(record(entry(run)), shipped_rules()).name == "apstools"
    scan = scan_of(run, rules="apstools")
    assert (scan.instrument_name.value, scan.sample_name.value) == ("polar-4idg", "EuAl4 2")
    assert (scan.command.value, scan.point_count.value) == ("rel_scan", 21)
    assert scan.experiment_identifier.path == "/entry/instrument/bluesky/metadata/proposal_id"


def test_apstools_description_of_a_sample_is_no_name() -> None:
    run = apstools(field("sample", "name: EuAl4\nmass: 2 mg"), field("proposal_id", "internal"))
    scan = scan_of(run, rules="apstools")
    assert (scan.sample_name, scan.experiment_identifier) == (None, None)


def test_first_muon_format_says_when_it_stopped() -> None:
    assert scan_of(field("stop_time", "2004-06-26T15:09:00"), rules="isis").end_time.path == "/entry/stop_time"
    assert scan_of(field("stop_time", "2004-06-26T15:09:00")).end_time is None


def test_nxspe_keeps_the_incident_energy_as_fixed_energy() -> None:
    info = group("NXSPE_info", "NXcollection", field("fixed_energy", 800.0, "meV"))
    assert scan_of(info, rules="nxspe").incident_energy.value.value == pytest.approx(8e-4)


def test_soleils_instrument_is_called_as_its_group() -> None:
    named = group("DIFFABS", "NXinstrument", field("description", "a"))
    scan = scan_of(named, rules="soleil")
    assert (scan.instrument_name.value, scan.instrument_name.origin) == ("DIFFABS", Origin.READ)
    unnamed = group("instrument", "NXinstrument", field("name", "proxima2a"))
    assert scan_of(unnamed, rules="soleil").instrument_name.value == "proxima2a"


def test_spec_tells_start_and_counting_time_in_lines_of_its_own() -> None:
    scan = scan_of(field("date", "2003-07-17T03:30:31"), rules="spec2nexus")
    assert scan.start_time.value.written == "2003-07-17T03:30:31"


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("dls/i22/data/2019/cm22968-3/i22-493312.nxs", ("cm22968-3", "i22")),
        ("i02-1/data/2024/mx12345-67/raw/a_1.nxs", ("mx12345-67", "i02-1")),
        ("home/sans/data/2009/012/sans2009n012333.hdf", None),
    ],
)
def test_paths_tell_where_and_for_whom(path: str, found: tuple[str | None, str] | None) -> None:
    rules = Rulebook().open(None, "UTC")
    match = next((m for each in rules.shipped if (m := match_path(path, each)) is not None), None)
    assert (match and (match.proposal, match.beamline)) == found


def test_a_star_in_a_path_is_one_folder() -> None:
    gda = load_rules("dls-gda")
    assert match_path("i22/data/cm22968-3/a.nxs", gda) is None
    assert match_path("i22/data/2019/more/cm22968-3/a.nxs", gda) is None
