"""Whatever is asked, the databases answer as a plain model of LoopBack in memory does."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.catalogue.database import make_read_sessions
from ingest.catalogue.model import (
    Dataset,
    DatasetInstrument,
    DatasetParameter,
    DatasetTechnique,
    Instrument,
    Investigation,
    Keyword,
    ParameterType,
    SampleType,
    Technique,
)
from ingest.catalogue.panosc.answering import count_records, list_records
from ingest.catalogue.panosc.request import parse_filter, parse_where
from ingest.catalogue.panosc.schema import MODELS, Kind
from ingest.catalogue.search.embedded import EmbeddedIndex
from tests import loopback
from tests.entities import END, add_dataset
from tests.panosc import add_reference
from tests.servers import on_both_databases

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from tests.entities import Catalogue

NOW = datetime(2026, 11, 21, tzinfo=UTC)
TOP = ("Dataset", "Document", "Instrument")
RELATED = {
    "Dataset": ["documents", "document", "techniques", "instrument", "files", "samples", "parameters"],
    "Document": ["datasets", "members"],
    "Instrument": ["datasets"],
    "Member": ["person", "affiliation", "document"],
    "File": ["dataset"],
    "Parameter": ["dataset"],
}
ODD = 'Odd % _ [a-z]* "q" \\ Ü'
ORDERED = ["gt", "gte", "lt", "lte"]


def fill(session: Session) -> None:
    """Add the reference's records, and some that lack this or that, or have more of it."""
    add_reference(session)
    first = add_dataset(session, "odd", title=ODD, files=2, scans=2)
    add_dataset(session, "later", beside=first, title="PaNOSC Test Dataset", start_date=END, files=0, sample_id=None)
    dataset = session.get_one(Dataset, first)
    session.query(DatasetInstrument).filter_by(dataset_id=first).delete()
    for technique in session.query(Technique).filter(Technique.pid.is_not(None)):
        session.add(DatasetTechnique(dataset_id=first, technique_id=technique.id, origin="read"))
    loki = session.query(Instrument).filter_by(name="LoKI").one()
    session.add(DatasetInstrument(dataset_id=first, instrument_id=loki.id))
    visit = session.get_one(Investigation, dataset.investigation_id)
    visit.summary = "What is odd about PaNOSC"
    session.add_all(Keyword(name=word, investigation_id=visit.id) for word in ("odd", "PaNOSC"))
    session.query(SampleType).first().name = "x"  # type: ignore[union-attr]
    kind = session.query(ParameterType).filter_by(name="chemical_formula").one()
    for value in ("Fe", "12"):
        session.add(DatasetParameter(dataset_id=first, type_id=kind.id, origin="read", string_value=value))


class Asking:
    """A catalogue and the world that it tells of when everything is asked for."""

    def __init__(self, catalogue: Catalogue) -> None:
        with catalogue.sessions.begin() as session:
            fill(session)
        catalogue.index_all()
        self.sessions = make_read_sessions(catalogue.engine)
        self.index = EmbeddedIndex(catalogue.settings.index_folder)
        self.world: loopback.World = {name: [] for name in MODELS}
        for model in TOP:
            for record in self.find(model, {"include": [to_everything(each) for each in RELATED[model]]}):
                self.learn(model, record)

    def learn(self, model: str, record: dict[str, Any]) -> Any:
        """Note the record and all that is related to it; return what it is identified by."""
        known = {name: value for name, value in record.items() if name not in MODELS[model].relations}
        known.pop("score", None)
        name = loopback.identity(model)
        for relation, target in MODELS[model].relations.items():
            related = record.get(relation, [])
            each = related if isinstance(related, list) else [related]
            known[f"#{relation}"] = [self.learn(target.model, one) for one in each]
        before = next((one for one in self.world[model] if one[name] == known[name]), None)
        if before is None:
            self.world[model].append(known)
        else:
            before.update({key: value for key, value in known.items() if not key.startswith("#") or value})
        return known[name]

    def find(self, model: str, asked: dict[str, Any]) -> list[dict[str, Any]]:
        with self.sessions() as session:
            return list_records(session, self.index, NOW, model, parse_filter(json.dumps(asked), model))

    def count(self, model: str, where: dict[str, Any]) -> int:
        with self.sessions() as session:
            return count_records(session, NOW, model, parse_where(json.dumps(where), model))


def to_everything(relation: str) -> dict[str, Any]:
    """Return the inclusion of a relation of a model at the top, with all that is beyond it."""
    inner = {"datasets": ["instrument"], "members": RELATED["Member"], "files": ["dataset"], "parameters": ["dataset"]}
    return {"relation": relation, "scope": {"include": inner.get(relation, [])}}


VALUES: dict[str, list[Any]] = {
    "pid": ["20.500.12269/panosc-dataset1", "10.5072/panosc-document2", "20.500.12269/panosc-tech2", "3", 3, "x"],
    "title": ["PaNOSC Test Dataset 2", "PaNOSC Test Proposal", ODD, "odd proposal", "A"],
    "name": ["LoKI", "panosc-file2.hdf", "odd_0001.h5", "solid copper cylinder", "odd sample", "M"],
    "facility": ["ESS", "odd facility"],
    "role": ["owner", "principal investigator"],
    "type": ["proposal", "publication"],
    "fullName": ["John Smith", "James Chadwick"],
    "documentId": ["10.5072/panosc-document1", "3"],
    "summary": ["What is odd about PaNOSC"],
    "keywords": ["odd", "PaNOSC"],
    "description": ["oddO2"],
}
PATTERNS = ["PaNOSC", "%Test%", "panosc", "o_d", "d%t", "1", "[a-z]*", "\\\\", "%", "Ü", "odd%O2"]
REGEXPS = ["^P", "t [0-9]$", "o(d|s)", "[^a-z]{3}", "\\d+", "O2|ESS"]
DATES = ["2020-05-05T15:01:02.341Z", "2019-03-04T09:30:00Z", "2019-06-01", "2030-01-01T00:00:00+02:00"]


def to_values(name: str, kind: Kind | None) -> st.SearchStrategy[Any]:
    match kind:
        case Kind.NUMBER:
            return st.sampled_from([0, 10, 20, 1000, 2000.0, 2500.5, -1, "20", "many"])
        case Kind.BOOLEAN:
            return st.booleans()
        case Kind.DATE:
            return st.sampled_from(DATES)
        case _:
            return st.sampled_from([*VALUES.get(name, ["a"]), "", "zz"])


@st.composite
def conditions(draw: st.DrawFn, model: str, depth: int = 2) -> dict[str, Any]:
    choice = draw(st.integers(0, 9))
    if choice < 2 and depth:
        parts = st.lists(conditions(model, depth - 1), min_size=0 if choice else 1, max_size=3)
        return {draw(st.sampled_from(["and", "or"])): draw(parts)}
    if choice == 2 and MODELS[model].text:
        return {"text": draw(st.sampled_from(PATTERNS))}
    names = [name for name in MODELS[model].properties if name not in ("id", "panetId", "value", "unit")]
    if model == "Technique":
        names = ["pid"]  # by its name one finds what is narrower, too
    name = draw(st.sampled_from([*names, "unknown"]))
    return {name: draw(comparisons(name, MODELS[model].properties.get(name)))}


@st.composite
def comparisons(draw: st.DrawFn, name: str, kind: Kind | None) -> Any:
    values = to_values(name, kind)
    is_text = kind in (Kind.TEXT, Kind.WORDS, None)
    operators = ["", "eq", "neq", "inq", "nin", *ORDERED, "between"]
    operator = draw(st.sampled_from([*operators, *(["like", "nlike", "ilike", "nilike", "regexp"] if is_text else [])]))
    if operator in ("", "eq", "neq"):
        value = draw(values | st.none())
        return {operator: value} if operator else value
    if operator in ("inq", "nin"):
        return {operator: draw(st.lists(values, max_size=3))}
    if operator == "between":
        return {operator: [draw(values), draw(values)]}
    if operator == "regexp":
        return {operator: draw(st.sampled_from(REGEXPS))}
    return {operator: draw(values if operator in ORDERED else st.sampled_from(PATTERNS))}


MEASURED = {
    "chemical_formula": ["Cu", "Fe", "12", 12, "A"],
    "sample_state": ["solid"],
    "InstrumentBeam_incident_energy": [0.93, 12.4, 1, "0.93"],
    "odd_pressure": [5, 4.5, 6],
    "nothing": [1],
}


@st.composite
def measured(draw: st.DrawFn) -> dict[str, Any]:
    """Return what is asked of one parameter."""
    name = draw(st.sampled_from(list(MEASURED)))
    values = st.sampled_from(MEASURED[name])
    operator = draw(st.sampled_from(["eq", "neq", "inq", "nin", "between"]))
    value = draw({
        "inq": st.lists(values, max_size=2), "nin": st.lists(values, max_size=2),
        "between": st.lists(values.filter(lambda each: not isinstance(each, str)) if name != "sample_state" else values,
                            min_size=2, max_size=2),
    }.get(operator, values))  # fmt: skip
    return {"and": [{"name": name}, {"value": {operator: value}}]}


@st.composite
def filters(draw: st.DrawFn, model: str, depth: int = 2) -> dict[str, Any]:
    asked: dict[str, Any] = {}
    if draw(st.integers(0, 2)) == 0 or model in ("Member", "Person"):
        asked["where"] = draw(conditions(model))
    if depth and RELATED.get(model) and draw(st.integers(0, 2)):
        relations = st.sampled_from(RELATED[model])
        asked["include"] = [
            draw(inclusions(model, relation, depth - 1))
            for relation in draw(st.lists(relations, min_size=1, max_size=2, unique=True))
        ]
    if depth and draw(st.integers(0, 3)) == 0:
        names = st.sampled_from([name for name, kind in MODELS[model].properties.items() if kind is not Kind.WORDS])
        directions = st.sampled_from(["ASC", "DESC"])
        asked["order"] = [f"{draw(names)} {draw(directions)}" for _ in range(draw(st.integers(1, 2)))]
    if draw(st.integers(0, 3)) == 0:
        asked |= {"limit": draw(st.integers(1, 3)), "skip": draw(st.integers(0, 2))}
    return asked


@st.composite
def inclusions(draw: st.DrawFn, model: str, relation: str, depth: int) -> dict[str, Any]:
    target = MODELS[model].relations[relation]
    if target.model == "Parameter":
        return {"relation": relation} | draw(st.just({}) | measured().map(lambda where: {"scope": {"where": where}}))
    if draw(st.integers(0, 3)) == 0:
        return {"relation": relation}
    scope = draw(filters(target.model, depth))
    if not target.is_many:
        scope = {name: value for name, value in scope.items() if name in ("where", "include")}
    return {"relation": relation, "scope": scope}


questions = st.sampled_from(TOP).flatmap(lambda model: st.tuples(st.just(model), filters(model)))


def assert_as_modelled(asking: Asking, model: str, asked: dict[str, Any]) -> None:
    expected = [{**each, "score": 0.5} for each in loopback.find(asking.world, model, asked)]
    assert asking.find(model, asked) == expected, json.dumps(asked)


@on_both_databases
def test_answers_are_those_of_the_model(catalogue: Catalogue) -> None:
    asking = Asking(catalogue)

    @settings(max_examples=60, derandomize=True, database=None, deadline=None)
    @given(questions)
    def ask(question: tuple[str, dict[str, Any]]) -> None:
        model, asked = question
        assert_as_modelled(asking, model, asked)
        if "where" in asked:
            assert asking.count(model, asked["where"]) == loopback.count(asking.world, model, asked["where"])

    ask()
    asking.index.close()


@on_both_databases
def test_whatever_property_orders(catalogue: Catalogue) -> None:
    asking = Asking(catalogue)
    related = [("Dataset", "techniques"), ("Dataset", "samples"), ("Dataset", "files"), ("Document", "members")]
    for model, relation in [*((model, "") for model in TOP), *related]:
        ordered = MODELS[model].relations[relation].model if relation else model
        names = [name for name, kind in MODELS[ordered].properties.items() if kind is not Kind.WORDS]
        for order in [f"{name} {direction}" for name in names for direction in ("ASC", "DESC")]:
            scope = {"order": [order]}
            asked = {"include": [{"relation": relation, "scope": scope}]} if relation else scope
            assert_as_modelled(asking, model, asked)
    asking.index.close()


@on_both_databases
def test_whatever_a_parameter_is_compared_with(catalogue: Catalogue) -> None:
    asking = Asking(catalogue)
    for name, values in MEASURED.items():
        lists: list[list[Any]] = [[], *([each] for each in values), *([one, two] for one in values for two in values)]
        for operator in ("eq", "neq", "inq", "nin"):
            for value in lists if operator in ("inq", "nin") else values:
                where = {"and": [{"name": name}, {"value": {operator: value}}]}
                asked = {"include": [{"relation": "parameters", "scope": {"where": where}}]}
                assert_as_modelled(asking, "Dataset", asked)
    asking.index.close()
