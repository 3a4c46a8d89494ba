"""What the index is told of a dataset, out of its investigation and its parameters."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select

from ingest.catalogue.finding import SearchQuestion, search_datasets
from ingest.catalogue.indexing import load_documents
from ingest.catalogue.model import (
    DataCollection,
    DataCollectionDataset,
    DataPublication,
    Dataset,
    DatasetParameter,
    Investigation,
    Keyword,
    ParameterType,
)
from ingest.catalogue.model.base import utc_now
from ingest.catalogue.search import Noun
from ingest.catalogue.search.engines import open_index
from ingest.catalogue.visibility import ANONYMOUS
from tests.entities import add_dataset

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from tests.entities import Catalogue

TOLD = (
    ("DOI_abstract", "A standard, measured at length", {}),
    ("scan_description", "the first turn", {}),
    ("scan_description", "the second turn", {}),
    ("scan_description", "of a patient", {"is_public": False}),
    ("scan_description", "of old", {"is_shown": False}),
    ("DOI_keywords", "bone; lung;;bone", {}),
)


def add_told(session: Session) -> int:
    """Add a dataset of which much is said; return its id."""
    dataset_id = add_dataset(session, "zinnia")
    investigation = session.scalars(select(Investigation)).one()
    investigation.summary = "Why zinnias stand upright"
    session.add(Keyword(investigation_id=investigation.id, name="botany"))
    types = {
        name: ParameterType(facility_id=investigation.facility_id, name=name, units="", value_type="STRING")
        for name, _, _ in TOLD
    }
    session.add_all(types.values())
    session.flush()
    for name, text, more in TOLD:
        columns = {"type_id": types[name].id, "string_value": text, "origin": "read", **more}
        session.add(DatasetParameter(dataset_id=dataset_id, **columns))
    return dataset_id


def test_abstracts_and_keywords_are_what_is_public_of_them(catalogue: Catalogue) -> None:
    with catalogue.sessions.begin() as session:
        add_told(session)
        add_dataset(session, "aster")
        told, other = load_documents(session, session.scalars(select(Dataset.id).order_by(Dataset.id)).all())
    said = ("Why zinnias stand upright", "A standard, measured at length", "the first turn", "the second turn")
    assert told.abstracts == said
    assert told.keywords == ("botany", "bone", "lung")
    assert (other.abstracts, other.keywords) == ((), ())


def test_abstract_finds_and_keyword_is_counted(catalogue: Catalogue) -> None:
    with catalogue.sessions.begin() as session:
        dataset_id = add_told(session)
    catalogue.index_all()
    index = open_index(catalogue.settings)
    question = SearchQuestion(text="zinnias keyword:bone", facets=(Noun.KEYWORD,), highlights=True)
    with catalogue.sessions() as session:
        page = search_datasets(session, index, ANONYMOUS, utc_now(), question)
    index.close()
    assert [hit.dataset.id for hit in page.hits] == [dataset_id]
    assert {each.field for each in page.hits[0].highlights} == {"abstract", "keyword"}
    assert {each.value for each in page.facets[Noun.KEYWORD].values} == {"bone", "botany", "lung"}


def test_dois_are_its_own_and_those_of_what_it_is_published_in(catalogue: Catalogue) -> None:
    with catalogue.sessions.begin() as session:
        dataset_id = add_dataset(session, "zinnia", doi="10.5072/own")
        other_id = add_dataset(session, "aster")
        investigation = session.get_one(Investigation, session.get_one(Dataset, dataset_id).investigation_id)
        investigation.doi = "10.5072/visit"
        for pid in ("10.5072/own", "10.5072/several"):
            collection = DataCollection(doi=pid)
            session.add(collection)
            session.flush()
            session.add(DataCollectionDataset(data_collection_id=collection.id, dataset_id=dataset_id))
            kept = {"facility_id": investigation.facility_id, "content_id": collection.id}
            session.add(DataPublication(pid=pid, title="Zinnias", **kept))
        session.flush()
        zinnia, aster = load_documents(session, [dataset_id, other_id])
    assert zinnia.dois == ("10.5072/own", "10.5072/several", "10.5072/visit")
    assert aster.dois == ()
