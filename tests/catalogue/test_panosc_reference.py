"""What PaNOSC's reference server is asked in its tests and in its manual, and what it answers, on both databases."""

from __future__ import annotations

import json
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from ingest.catalogue.database import make_read_sessions
from ingest.catalogue.panosc.answering import count_files, count_records, get_record, list_files, list_records
from ingest.catalogue.panosc.request import parse_filter, parse_where
from ingest.catalogue.search.embedded import EmbeddedIndex
from tests.entities import opened_copy
from tests.panosc import DATASETS, DOCUMENTS, INSTRUMENTS, PANET, SAMPLE, TECHNIQUES, add_reference
from tests.servers import copied_database

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.entities import Catalogue

ABSORPTION = {"pid": "20.500.12269/panosc-tech2", "name": "x-ray absorption", "panetId": f"{PANET}01227"}
NOW = datetime(2026, 11, 21, tzinfo=UTC)


class Asking:
    """Asks a catalogue that is filled, as the API does."""

    def __init__(self, catalogue: Catalogue) -> None:
        self.sessions = make_read_sessions(catalogue.engine)
        self.index = EmbeddedIndex(catalogue.settings.index_folder)

    def find(self, model: str, asked: Any = None) -> list[dict[str, Any]]:
        with self.sessions() as session:
            return list_records(session, self.index, NOW, model, parse_filter(json.dumps(asked), model))

    def pids(self, model: str, asked: Any = None) -> list[str]:
        return [each["pid"] for each in self.find(model, asked)]

    def numbers(self, asked: Any) -> list[int]:
        """Return which of the four datasets are found."""
        return [DATASETS.index(pid) + 1 for pid in self.pids("Dataset", asked)]

    def count(self, model: str, where: Any = None) -> int:
        with self.sessions() as session:
            return count_records(session, NOW, model, parse_where(json.dumps(where), model))

    def get(self, model: str, pid: str, asked: Any = None) -> dict[str, Any]:
        with self.sessions() as session:
            return get_record(session, NOW, model, pid, parse_filter(json.dumps(asked), model))


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def ask(request: pytest.FixtureRequest, migrated: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asking]:
    """Fill a catalogue of its own once for all that is asked here."""
    with _database(request) as address, opened_copy(migrated, tmp_path_factory.mktemp("panosc") / "d", address) as made:
        with made.sessions.begin() as session:
            add_reference(session)
        made.index_all()
        asking = Asking(made)
        yield asking
        asking.index.close()


@contextmanager
def _database(request: pytest.FixtureRequest) -> Iterator[str | None]:
    if request.param == "sqlite":
        yield None
        return
    with copied_database(request.getfixturevalue("migrated_database")) as address:
        yield address


def included(relation: str, where: Any = None, *inner: Any) -> dict[str, Any]:
    """Return an inclusion, with a scope where there is one."""
    scope = ({} if where is None else {"where": where}) | ({"include": list(inner)} if inner else {})
    return {"relation": relation} | ({"scope": scope} if scope else {})


def measured(name: str, value: Any, unit: str | None = None) -> dict[str, Any]:
    """Return an inclusion of a parameter."""
    conditions: list[Any] = [{"name": name}, {"value": value}]
    return included("parameters", {"and": conditions + ([{"unit": unit}] if unit else [])})


def test_lists_have_what_is_mandatory(ask: Asking) -> None:
    assert ask.find("Dataset")[0] == {
        "pid": DATASETS[0],
        "title": "PaNOSC Test Dataset 1",
        "isPublic": True,
        "creationDate": "2020-05-05T15:01:02.341Z",
        "size": 1000,
        "documentId": DOCUMENTS[0],
        "instrumentId": INSTRUMENTS["LoKI"],
        "score": 0.5,
    }
    document = ask.find("Document")[1]
    assert document.items() >= {
        "pid": DOCUMENTS[1], "isPublic": True, "type": "proposal", "title": "PaNOSC Test Proposal", "doi": DOCUMENTS[1]
    }.items()  # fmt: skip
    assert ask.find("Instrument")[0] == {
        "pid": INSTRUMENTS["LoKI"], "name": "LoKI", "facility": "ESS", "score": 0.5
    }  # fmt: skip


def test_technique(ask: Asking) -> None:
    found = ask.find("Dataset", {"include": [included("techniques", {"name": "x-ray absorption"})]})
    assert [each["pid"] for each in found] == DATASETS[2:]
    for each in found:
        assert each["techniques"] == [ABSORPTION]


@pytest.mark.parametrize(
    ("value", "unit"),
    [
        ({"between": [880, 990]}, "eV"),
        ({"between": [0.88, 0.99]}, "keV"),
        ({"gte": 930}, "eV"),
        ({"lte": 930}, "eV"),
        ({"gt": 929.9}, "eV"),
        ({"lt": 930.1}, "eV"),
        (930, "eV"),
        ("930", "eV"),
        ({"eq": 0.93}, "keV"),
        ({"inq": [1, 930]}, "eV"),
        ({"neq": 931}, "eV"),
        ({"nin": [1, 931]}, "eV"),
        ({"gte": 930, "lt": 931}, "eV"),
        ({"between": [1.4e-16, 1.5e-16]}, "J"),
    ],
)
def test_photon_energy_is_converted_and_answered_in_the_unit_asked(ask: Asking, value: Any, unit: str) -> None:
    (found,) = ask.find("Dataset", {"include": [measured("photon_energy", value, unit)]})
    assert found["pid"] == DATASETS[1]
    (parameter,) = found["parameters"]
    in_unit = {"eV": 930, "keV": 0.93, "J": 1.4900241922e-16}[unit]
    assert parameter == {
        "id": 3, "name": "photon_energy", "value": pytest.approx(in_unit), "unit": unit, "datasetId": DATASETS[1]
    }  # fmt: skip


@pytest.mark.parametrize(
    ("value", "unit"),
    [
        ({"between": [880, 990]}, "keV"),
        ({"gt": 930}, "eV"),
        ({"lt": 930}, "eV"),
        (931, "eV"),
        ({"neq": 930}, "eV"),
        ({"nin": [930]}, "eV"),
        ({"inq": []}, "eV"),
        ({"between": [880, 990]}, "K"),
        ({"between": [880, 990]}, "furlong per fortnight"),
        ({"like": "930"}, "eV"),
        (None, "eV"),
        (True, "eV"),
    ],
)
def test_other_energies_are_not_found(ask: Asking, value: Any, unit: str) -> None:
    assert ask.find("Dataset", {"include": [measured("photon_energy", value, unit)]}) == []


@pytest.mark.parametrize(
    ("name", "expected"),
    [("photon_energy", [2]), ("InstrumentBeam_incident_energy", [2]), ("energy", [2]), ("Photon_Energy", [2]),
     ("sample_state", [1]), ("nothing", [])],
)  # fmt: skip
def test_parameter_is_known_by_its_name_and_by_its_aliases(ask: Asking, name: str, expected: list[int]) -> None:
    assert ask.numbers({"include": [included("parameters", {"name": name})]}) == expected


def test_without_a_unit_numbers_are_those_of_the_parameter(ask: Asking) -> None:
    (found,) = ask.find("Dataset", {"include": [measured("energy", {"between": [0.9, 1]})]})
    assert found["parameters"] == [
        {"id": 3, "name": "energy", "value": 0.93, "unit": "keV", "datasetId": DATASETS[1]}
    ]  # fmt: skip


def test_solid_sample_with_copper(ask: Asking) -> None:
    state = {"and": [{"name": "sample_state"}, {"value": "solid"}]}
    formula = {"and": [{"name": "chemical_formula"}, {"value": "Cu"}]}
    expected = [
        {"id": 1, "name": "chemical_formula", "value": "Cu", "unit": "", "datasetId": DATASETS[0]},
        {"id": 2, "name": "sample_state", "value": "solid", "unit": "", "datasetId": DATASETS[0]},
    ]
    for where in ({"or": [state, formula]}, state):
        (found,) = ask.find("Dataset", {"include": [included("parameters", where)]})
        assert found["parameters"] == expected  # all of them, whichever was asked for
    (found,) = ask.find("Dataset", {"include": [included("parameters", state), included("parameters", formula)]})
    assert found["parameters"] == expected
    assert ask.find("Dataset", {"include": [included("parameters", {"and": [state, formula]})]}) == []
    liquid = {"and": [{"name": "sample_state"}, {"value": "liquid"}]}
    assert ask.find("Dataset", {"include": [included("parameters", formula), included("parameters", liquid)]}) == []


def test_temperature_below_80_degrees(ask: Asking) -> None:
    (found,) = ask.find("Dataset", {"include": [measured("temperature", {"lt": 80}, "celsius")]})
    assert found["pid"] == DATASETS[2]
    assert found["parameters"] == [
        {"id": 4, "name": "temperature", "value": 20, "unit": "celsius", "datasetId": DATASETS[2]}
    ]  # fmt: skip
    assert ask.find("Dataset", {"include": [measured("temperature", {"lt": 80}, "K")]}) == []


def test_file_that_matches_a_text(ask: Asking) -> None:
    (found,) = ask.find("Dataset", {"include": [included("files", {"text": "file1"})]})
    assert found["pid"] == DATASETS[0]
    assert [(each["name"], each["size"]) for each in found["files"]] == [("panosc-file1.hdf", 1000)]


@pytest.mark.parametrize(
    ("model", "text", "expected"),
    [("Dataset", "dataset 3", 1), ("Document", "PROPOSAL", 1), ("Instrument", "ess", 4), ("Instrument", "loki", 1),
     ("Dataset", "test%4", 1), ("Dataset", "", 4), ("Dataset", "nothing", 0)],
)  # fmt: skip
def test_text(ask: Asking, model: str, text: str, expected: int) -> None:
    assert len(ask.find(model, {"where": {"text": text}})) == ask.count(model, {"text": text}) == expected
    assert ask.count(model, {"and": [{"or": [{"text": text}]}]}) == expected


def test_text_of_samples_and_techniques(ask: Asking) -> None:
    assert ask.numbers({"include": [included("samples", {"text": "COPPER"})]}) == [1, 2, 3, 4]
    assert ask.numbers({"include": [included("techniques", {"text": "neutron"})]}) == [1, 2]


def test_documents_of_a_principal_investigator(ask: Asking) -> None:
    (found,) = ask.find(
        "Document",
        {
            "where": {"type": "proposal"},
            "include": [
                included("datasets"),
                included(
                    "members",
                    {"role": "principal investigator"},
                    included("person", {"fullName": "James Chadwick"}),
                    included("affiliation"),
                ),
            ],
        },
    )
    assert found["pid"] == DOCUMENTS[1]
    assert [each["pid"] for each in found["datasets"]] == DATASETS[2:]
    (member,) = found["members"]
    assert (member["role"], member["documentId"]) == ("principal investigator", DOCUMENTS[1])
    assert member["person"] == {"id": member["personId"], "fullName": "James Chadwick"}
    assert member["affiliation"] == {"id": member["affiliationId"], "name": "ESS"}


def test_documents_of_datasets_of_a_wavelength(ask: Asking) -> None:
    wanted = measured("wavelength", {"between": [1000, 1100]}, "nm")
    (found,) = ask.find("Document", {"include": [included("datasets", None, wanted)]})
    assert found["pid"] == DOCUMENTS[1]
    (dataset,) = found["datasets"]
    assert dataset["pid"] == DATASETS[3]
    assert [(each["name"], each["value"], each["unit"]) for each in dataset["parameters"]] == [
        ("wavelength", 1064, "nm")
    ]


def test_nothing_but_datasets_has_parameters(ask: Asking) -> None:
    wanted = measured("wavelength", {"between": [1000, 1100]}, "nm")
    assert ask.find("Document", {"include": [wanted]}) == []
    assert [each["parameters"] for each in ask.find("Document", {"include": [included("parameters")]})] == [[], []]


def test_documents_of_a_sample_and_a_technique(ask: Asking) -> None:
    sample = included("samples", {"name": "solid copper cylinder"})
    technique = included("techniques", {"name": "x-ray absorption"})
    (found,) = ask.find("Document", {"include": [included("datasets", None, sample, technique)]})
    assert [each["pid"] for each in found["datasets"]] == DATASETS[2:]
    for dataset in found["datasets"]:
        assert dataset["samples"] == [{"pid": SAMPLE, "name": "solid copper cylinder"}]
        assert dataset["techniques"] == [ABSORPTION]


def test_documents_of_datasets_with_a_file(ask: Asking) -> None:
    (found,) = ask.find("Document", {"include": [included("datasets", None, included("files", {"text": "file1"}))]})
    assert [[file["name"] for file in each["files"]] for each in found["datasets"]] == [["panosc-file1.hdf"]]


def test_without_a_condition_an_inclusion_leaves_nothing_out(ask: Asking) -> None:
    found = ask.find("Dataset", {"include": [included("parameters"), included("techniques"), included("files")]})
    assert [len(each["parameters"]) for each in found] == [2, 1, 1, 1]
    inner = included("datasets", None, included("parameters"))
    assert [len(each["datasets"]) for each in ask.find("Document", {"include": [inner]})] == [2, 2]


def test_every_relation_is_there(ask: Asking) -> None:
    names = ["documents", "document", "techniques", "instrument", "files", "parameters", "samples"]
    for include in (names, [included(name) for name in names], [{name: None} for name in names]):
        found = ask.find("Dataset", {"include": include, "limit": 1})[0]
        assert [each["pid"] for each in found["documents"]] == [found["document"]["pid"]] == DOCUMENTS[:1]
        assert found["instrument"] == {"pid": INSTRUMENTS["LoKI"], "name": "LoKI", "facility": "ESS"}
        assert [each["pid"] for each in found["techniques"]] == list(TECHNIQUES)[:1]
        assert [each["pid"] for each in found["samples"]] == [SAMPLE]
    (found,) = ask.find("Instrument", {"where": {"name": "ODIN"}, "include": "datasets"})
    assert [each["pid"] for each in found["datasets"]] == DATASETS[1:2]


def test_relation_back_leads_home(ask: Asking) -> None:
    back = included("files", None, included("dataset", None, included("parameters", None, included("dataset"))))
    found = ask.get("Dataset", DATASETS[0], {"include": [back]})
    (file,) = found["files"]
    assert {each["dataset"]["pid"] for each in file["dataset"]["parameters"]} == {DATASETS[0]}


def test_instrument_that_must_be_there(ask: Asking) -> None:
    found = ask.find("Dataset", {"include": [included("instrument", {"name": "FREIA"})]})
    assert [(each["pid"], each["instrument"]["name"]) for each in found] == [(DATASETS[2], "FREIA")]


def test_records_by_identifier(ask: Asking) -> None:
    assert ask.get("Dataset", DATASETS[0])["title"] == "PaNOSC Test Dataset 1"
    assert ask.get("Document", DOCUMENTS[0])["type"] == "publication"
    assert ask.get("Instrument", INSTRUMENTS["LoKI"])["name"] == "LoKI"
    wanted = included("parameters", {"name": "chemical_formula"})
    assert [each["value"] for each in ask.get("Dataset", DATASETS[0], {"include": [wanted]})["parameters"]] == ["Cu"]
    # A condition chooses what is included, and not whether the record is there.
    assert ask.get("Dataset", DATASETS[1], {"where": {"pid": "other"}, "include": [wanted]})["parameters"] == []


def test_files_of_a_dataset(ask: Asking) -> None:
    with ask.sessions() as session:
        (found,) = list_files(session, NOW, DATASETS[0], parse_filter(None, "File"))
        assert (found["name"], found["size"], found["datasetId"]) == ("panosc-file1.hdf", 1000, DATASETS[0])
        assert count_files(session, NOW, DATASETS[0], None) == 1
        where = parse_where('{"text": "file2"}', "File")
        assert count_files(session, NOW, DATASETS[0], where) == 0
        assert list_files(session, NOW, DATASETS[0], parse_filter('{"where": {"text": "file2"}}', "File")) == []


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({"limit": 2}, [1, 2]),
        ({"limit": 2, "skip": 1}, [2, 3]),
        ({"limit": "2", "offset": 3}, [4]),
        ({"limit": 0, "skip": 0}, [1, 2, 3, 4]),
        ({"skip": 9}, []),
        ({"order": "title DESC"}, [4, 3, 2, 1]),
        ({"order": ["documentId DESC", "title ASC"]}, [3, 4, 1, 2]),
        ({"order": "documentId desc, title desc", "limit": 3}, [4, 3, 2]),
        ({"order": "unknown DESC"}, [1, 2, 3, 4]),
        ({"order": "size DESC", "limit": 1}, [4]),
        ({"limit": 1, "include": [included("techniques", {"name": "x-ray absorption"})]}, [3]),
    ],
)
def test_order_and_page(ask: Asking, asked: Any, expected: list[int]) -> None:
    assert ask.numbers(asked) == expected


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        (["pid"], {"pid", "score"}),
        ({"pid": True, "title": True}, {"pid", "title", "score"}),
        (
            {"pid": False, "size": False, "title": False},
            {"isPublic", "creationDate", "documentId", "instrumentId", "score"},
        ),
        ("title", {"title", "score"}),
        (["pid", "unknown"], {"pid", "score"}),
    ],
)  # fmt: skip
def test_fields(ask: Asking, fields: Any, expected: set[str]) -> None:
    assert set(ask.find("Dataset", {"fields": fields, "limit": 1})[0]) == expected
    found = ask.find("Dataset", {"fields": fields, "include": "files", "limit": 1})[0]
    assert set(found) == expected | {"files"}


def test_page_of_what_is_included(ask: Asking) -> None:
    def asked(**scope: Any) -> list[list[int]]:
        found = ask.find("Document", {"include": [{"relation": "datasets", "scope": scope}]})
        return [[DATASETS.index(each["pid"]) + 1 for each in one["datasets"]] for one in found]

    assert asked(limit=1) == [[1], [3]]
    assert asked(limit=1, skip=1) == [[2], [4]]
    assert asked(order="title DESC") == [[2, 1], [4, 3]]
    assert asked(skip=2) == [[], []]
