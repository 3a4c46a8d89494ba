"""No answer to anybody differs by a byte when closed datasets are added: no count, suggestion, histogram or export."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from ingest.catalogue.model import DatasetParameter, ParameterType
from ingest.catalogue.search import Noun
from ingest.catalogue.search.elastic_client import make_client
from ingest.catalogue.search.nouns import UNCOUNTED
from tests.entities import FUTURE, add_dataset, opened_copy

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from fastapi import FastAPI

    from tests.entities import Catalogue

OPEN = ("zinnia", "marigold")
CLOSED = (
    {"release_date": FUTURE},
    {"is_secret": True},
    {"release_date": None},
    {"is_secret": True, "doi": "10.5072/x"},
)
COUNTED = [noun.value for noun in Noun if noun not in UNCOUNTED]
DOORS = [
    f"/api/v1/datasets?facets={','.join(COUNTED)}",
    f"/api/v1/datasets?facets={','.join(COUNTED)}&facet_mode=wide&instrument=zinnia-bm",
    *(f"/api/v1/datasets?sort={sort}&limit=1" for sort in ("newest", "oldest", "name", "relevance")),
    *(f"/api/v1/datasets?order_by={field}&limit=1" for field in ("id", "-file_size", "energy", "-zinnia_pressure")),
    *(f"/api/v1/datasets?order_by={sense}{noun}&limit=1" for noun in Noun for sense in ("", "-")),
    "/api/v1/datasets?order_by=start_date&limit=1",
    "/api/v1/datasets?order_by=nightshade_pressure",
    "/api/v1/datasets?q=zinnia",
    "/api/v1/datasets?q=not+nightshade+or+zinnia&highlights=true",
    "/api/v1/datasets?q=zinnai~",
    "/api/v1/datasets?q=zin?ia+or+*shade*&highlights=true",
    "/api/v1/datasets?q=sample:*+zinnia_pressure:*+start_date:*&facets=sample",
    "/api/v1/datasets?q=nightshade_pressure:*",
    "/api/v1/datasets?q=not+zinnia",
    "/api/v1/datasets?q=energy:12..13+keV",
    "/api/v1/datasets?q=nightshade_pressure:1..2",
    "/api/v1/datasets?q=zinnia_presure:1..2",
    "/api/v1/export?format=csv&column=energy&column=zinnia_remark",
    "/api/v1/export?format=ndjson&column=zinnia_pressure",
    *(f"/api/v1/facets/{noun}?size=1000" for noun in COUNTED),
    *(f"/api/v1/facets/{noun}?contains=n&sample=zinnia+sample&facet_mode=wide" for noun in COUNTED),
    *(f"/api/v1/histograms/dates?interval={length}" for length in ("year", "quarter", "month", "day")),
    "/api/v1/histograms/dates?field=release_date",
    "/api/v1/datasets?order_by=-release_date&limit=1&release_date=..2030",
    "/api/v1/datasets?q=10.5072/x+or+doi:10.5072*&facets=doi",
    "/api/v1/histograms/dates?field=end_date&start_date=2019&facet_mode=wide",
    "/api/v1/histograms/numbers?field=energy",
    "/api/v1/histograms/numbers?field=file_size",
    "/api/v1/datasets?q=file_count:>0+size:<1+GB&order_by=-file_count",
    "/api/v1/histograms/numbers?field=zinnia_pressure&unit=bar&bins=3",
    "/api/v1/histograms/numbers?field=nightshade_pressure",
    *(f"/api/v1/suggest?text={text}&limit=50" for text in ("zin", "nig", "pressure", "in", "sam", "ada")),
    *(f"/api/v1/suggest?text={text}" for text in ("zinnai", "nightshad", "margold+sampel")),
    "/api/v1/parameter-types?sort=count",
    "/api/v1/parameter-types?q=pressure",
    "/?q=zinnia",
    "/?q=nightshade",
]


@pytest.fixture(scope="module", params=["embedded", "elasticsearch"])
def own(
    request: pytest.FixtureRequest, migrated: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Catalogue]:
    """Open an empty catalogue with either index."""
    with opened_copy(migrated, tmp_path_factory.mktemp("own") / "data") as opened:
        if request.param == "embedded":
            yield opened
            return
        url, name = request.getfixturevalue("elasticsearch_server"), f"closed-{uuid4().hex}"
        asked = {"elasticsearch_url": url, "elasticsearch_index": name}
        yield replace(opened, settings=opened.settings.model_copy(update=asked))
        with make_client(url) as engine:
            for index in engine.indices.get(index=f"{name}*", expand_wildcards="all"):
                engine.indices.delete(index=index)


@pytest.fixture(scope="module")
def answers(own: Catalogue) -> dict[str, list[tuple[int, bytes]]]:
    """Ask at all doors, first without and then with closed datasets, some of which share everything with open ones."""
    app = create_app(own.settings)
    doors = [*DOORS, *list_doors(app)]
    with TestClient(app, raise_server_exceptions=False) as client:
        with own.sessions.begin() as session:
            first, _ = (add_dataset(session, word) for word in OPEN)
        own.index_all()
        before = ask(client, doors)
        with own.sessions.begin() as session:
            for number, closed in enumerate(CLOSED):
                day = datetime(2001 + number, 2, 3, tzinfo=UTC)
                twin = {"name": f"zinnia_{number}", "start_date": day, "end_date": day}
                add_dataset(session, "zinnia", beside=first, **closed, **twin)
                # Not as many of these, lest a word stays as frequent as it was.
                if number:
                    add_dataset(session, f"nightshade{number}", **closed)
            closed_numbers = session.query(DatasetParameter).filter(DatasetParameter.dataset_id > first + 1)
            closed_numbers.filter(DatasetParameter.numeric_value.is_not(None)).update({"numeric_value": 99.0})
            assert session.query(ParameterType).count() > len(OPEN) + len(CLOSED)
        own.index_all()
        after = ask(client, doors)
    return {door: [before[door], after[door]] for door in doors}


def list_doors(app: FastAPI) -> list[str]:
    """Return every other address that one may ask for without knowing of anything."""
    paths = app.openapi()["paths"]
    return [path for path, methods in paths.items() if "get" in methods and "{" not in path]


def ask(client: TestClient, doors: list[str]) -> dict[str, tuple[int, bytes]]:
    answers = {door: client.get(door) for door in doors}
    return {door: (answer.status_code, answer.content) for door, answer in answers.items()}


def test_no_answer_differs_when_closed_datasets_are_added(answers: dict[str, list[tuple[int, bytes]]]) -> None:
    assert {door: found for door, found in answers.items() if found[0] != found[1]} == {}


def test_doors_answer(answers: dict[str, list[tuple[int, bytes]]]) -> None:
    refused = {door for door in DOORS if answers[door][0][0] != 200}
    assert refused == {door for door in DOORS if "presure" in door or "nightshade_pressure" in door}
    assert all(answers[door][0][0] < 500 for door in answers)
