"""A search as a JSON document: what the query string can ask, and the query as a tree."""

from typing import Annotated, Final

from fastapi import Body
from pydantic import Field

from api.query_clauses import QueryClause, WithoutNulls
from api.questions import Absent, SearchParameters
from ingest.catalogue.search import All, parse_query, to_text
from ingest.catalogue.search.query import join_all


class SearchBody(WithoutNulls, SearchParameters):
    """A search: every part that is given must hold."""

    query: QueryClause | Absent = Field(default=None, description="The same as `q` can say, as a tree.")

    def to_parameters(self) -> SearchParameters:
        """Return the same search as the query string asks it.

        Raises InvalidQueryError if the tree is larger than the language takes, or says what it cannot say.
        """
        given = self.model_dump(exclude_unset=True, exclude={"query", "q"})
        if self.query is None:
            return SearchParameters(**given, q=self.q)
        tree = join_all(parse_query(self.q), self.query.to_query())
        return SearchParameters(**given, q="" if tree == All() else to_text(tree))


def to_asked(parameters: SearchParameters) -> list[tuple[str, str]]:
    """Return what stands in the address of the search, but for the cursor."""
    given = parameters.model_dump(mode="json", exclude_defaults=True, exclude={"cursor"})
    listed = {name: value if isinstance(value, list) else [value] for name, value in given.items()}
    return [(name, _write(value)) for name, values in listed.items() for value in values]


def _write(value: bool | int | str) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


_EXAMPLE: Final = {
    "query": {
        "and": [
            {"text": "LaB6"},
            {"or": [{"field": "instrument", "value": "id11"}, {"elements": ["Fe", "O"]}]},
            {"field": "energy", "low": 12, "high": 13, "unit": "keV"},
            {"field": "start_date", "from": "2025-01", "to": "2025-03"},
            {"not": {"field": "temperature", "below": 100, "unit": "K"}},
        ]
    },
    "facets": "instrument",
    "limit": 10,
}
SearchOrder = Annotated[
    SearchBody, Body(openapi_examples={"tree": {"summary": "A query as a tree", "value": _EXAMPLE}})
]
