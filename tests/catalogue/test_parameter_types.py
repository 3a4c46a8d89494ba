"""Examples of what parameters hold: out of datasets that the index names and the database still shows."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

from sqlalchemy import select

from ingest.catalogue.model import Dataset, ParameterType
from ingest.catalogue.model.base import utc_now
from ingest.catalogue.parameter_types import get_parameter_type
from ingest.catalogue.search.embedded import EmbeddedIndex
from ingest.catalogue.visibility import ANONYMOUS, OPERATOR
from tests.entities import add_dataset

if TYPE_CHECKING:
    from tests.entities import Catalogue


def test_dataset_that_was_hidden_since_it_was_indexed_gives_no_example(catalogue: Catalogue) -> None:
    with catalogue.sessions.begin() as session:
        dataset_id = add_dataset(session, "zinnia")
    catalogue.index_all()
    with catalogue.sessions.begin() as session:
        session.get_one(Dataset, dataset_id).is_secret = True
    with catalogue.sessions() as session, closing(EmbeddedIndex(catalogue.settings.index_folder)) as index:
        type_id = session.scalars(select(ParameterType.id).where(ParameterType.name == "zinnia_remark")).one()
        found = {
            viewer: get_parameter_type(session, index, viewer, utc_now(), type_id) for viewer in (ANONYMOUS, OPERATOR)
        }
    told = {viewer: (view.example_values, view.example) for viewer, view in found.items()}
    assert told == {ANONYMOUS: ((), None), OPERATOR: (("zinnia as it is",), 'zinnia_remark:"zinnia as it"')}
