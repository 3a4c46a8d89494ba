"""The OpenAPI document that scripts rely on, and the page that shows it without an outside network."""

from __future__ import annotations

import re
from importlib import import_module
from pkgutil import iter_modules
from typing import TYPE_CHECKING, Any

import pytest
from fastapi.testclient import TestClient
from pydantic import BaseModel, TypeAdapter

from api import errors, questions, resource_questions, schemas
from api.app import create_app
from api.schemas import base
from api.settings import ApiSettings
from ingest.catalogue.access import Scope, create_token
from ingest.catalogue.model import MasterState, Root
from ingest.catalogue.notices import ToldDataset, record_notice
from tests.entities import PAST, add_dataset, to_master
from tests.servers import on_both_databases

if TYPE_CHECKING:
    from fastapi import FastAPI

    from tests.entities import Catalogue

OPENAPI = "/api/v1/openapi.json"
SCHEMAS = [import_module(f"api.schemas.{module.name}") for module in iter_modules(schemas.__path__)]
MODELS = sorted(
    {
        model
        for module in (errors, questions, resource_questions, *SCHEMAS)
        for model in vars(module).values()
        if isinstance(model, type) and issubclass(model, BaseModel) and model.__module__.startswith("api.")
    },
    key=lambda model: model.__name__,
)


@pytest.fixture
def document(client: TestClient) -> dict[str, Any]:
    found: dict[str, Any] = client.get(OPENAPI).json()
    return found


def to_operations(document: dict[str, Any]) -> list[dict[str, Any]]:
    return [operation for operations in document["paths"].values() for operation in operations.values()]


def test_operations_are_named_once_and_explained(document: dict[str, Any]) -> None:
    operations = to_operations(document)
    assert len({operation["operationId"] for operation in operations}) == len(operations)
    tags = {tag["name"] for tag in document["tags"]}
    for operation in operations:
        assert operation["summary"]
        assert operation["description"]
        assert set(operation["tags"]) <= tags


def test_every_error_is_documented_as_a_problem(document: dict[str, Any]) -> None:
    problem = {"schema": {"$ref": "#/components/schemas/Problem"}}
    for operation in to_operations(document):
        for status, answer in operation["responses"].items():
            if int(status) >= 400:
                assert answer["content"] == {"application/problem+json": problem}
        has_input = bool(operation.get("parameters") or operation.get("requestBody"))
        assert ("422" in operation["responses"]) == has_input
        assert ("503" in operation["responses"]) == (operation["operationId"] != "get_liveness")
    assert "HTTPValidationError" not in document["components"]["schemas"]


def test_references_lead_somewhere(document: dict[str, Any]) -> None:
    names = set(re.findall(r'"#/components/schemas/([^"]+)"', str(document).replace("'", '"')))
    assert names == set(document["components"]["schemas"])


def test_parameters_are_explained_and_cannot_be_null(document: dict[str, Any]) -> None:
    for operation in to_operations(document):
        for parameter in operation.get("parameters", ()):
            assert parameter["description"]
            assert "anyOf" not in parameter["schema"]
            if parameter["required"] and parameter["name"] != "api_key":
                assert parameter["schema"]["examples"]


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_examples_are_valid(model: type[BaseModel]) -> None:
    for name, field in model.model_fields.items():
        for example in field.examples or ():
            value = TypeAdapter(field.rebuild_annotation()).validate_python(example)
            assert TypeAdapter(field.rebuild_annotation()).dump_python(value, mode="json") == example, name


@pytest.mark.parametrize("model", [m for m in MODELS if issubclass(m, base.Answer)], ids=lambda m: m.__name__)
def test_every_field_that_is_no_flag_has_an_example(model: type[BaseModel]) -> None:
    plain = (str, int, float)
    for name, field in model.model_fields.items():
        if field.annotation in plain:
            assert field.examples, name


def to_kind(field: dict[str, Any]) -> str:
    """Return what a field holds, whether it may be null or not; several, if so."""
    kinds = [each for each in field.get("anyOf", [field]) if each.get("type") != "null"]
    return " or ".join(str(kind.get("$ref") or kind.get("format") or kind.get("type")) for kind in kinds)


def test_one_word_means_one_thing_in_all_answers(document: dict[str, Any]) -> None:
    """But for links, which say for each word where it is; ICAT+'s answers and records have words of their own."""
    kinds: dict[str, set[str]] = {}
    for name in {model.__name__ for model in MODELS if issubclass(model, base.Answer)} | {"Problem"}:
        if (
            name.endswith("Links")
            or name.startswith(("Icat", "Record"))
            or name not in document["components"]["schemas"]
        ):
            continue
        for word, field in document["components"]["schemas"][name]["properties"].items():
            kinds.setdefault(word, set()).add(to_kind(field))
    several = {word for word, found in kinds.items() if len(found) > 1}
    assert several == {"field", "kind", "links", "state", "status", "value"}


def test_names_tell_what_is_held(document: dict[str, Any]) -> None:
    for name, model in document["components"]["schemas"].items():
        for word, field in model.get("properties", {}).items():
            kind = to_kind(field)
            if kind == "date-time":
                assert word.endswith(("_date", "_at", "Date", "date_time_value")), (name, word)
            if kind == "boolean":
                assert word.startswith("is_") or word in ("all", "complete", "highlights", "swmr", "zone_known"), (
                    name,
                    word,
                )
            if word.endswith("_count"):
                assert kind == "integer", (name, word)
            if word.startswith("is_"):
                assert kind == "boolean", (name, word)


NEEDED: dict[str, dict[str, Any]] = {
    "/icatplus": {"instrumentName": "zinnia-bm", "investigationName": "zinnia", "investigationId": 1},
    "/api/v1/histograms/numbers": {"field": "energy"},
    "/api/v1/suggest": {"text": "zin"},
}


@on_both_databases
def test_times_are_in_utc_wherever_they_stand(catalogue: Catalogue, client: TestClient) -> None:
    with catalogue.sessions.begin() as session:
        dataset_id = add_dataset(session, "zinnia", id=1)
        session.add(Root(path="/data/told", facility_id=1))
        session.add(to_master(1, "/data/bad.h5", state=MasterState.QUARANTINED, reason="not HDF5"))
        session.flush()
        record_notice(session, ToldDataset(path="/data/told/a.h5", end_date=PAST), "http", PAST)
        token = create_token(session, "all", Scope, PAST, None).text
    catalogue.index_all()
    client.headers["Authorization"] = f"Bearer {token}"
    found = set()
    for path, operations in client.get(OPENAPI).json()["paths"].items():
        if "get" not in operations or path.startswith(("/files", "/archives", "/doi")):
            continue
        asked = re.sub(r"\{\w+_id\}", str(dataset_id), path).format(entry_name="1.1", api_key=token, noun="instrument")
        answer = client.get(
            asked, params=next((needed for start, needed in NEEDED.items() if path.startswith(start)), {})
        )
        assert answer.status_code == 200, (asked, answer.text)
        times = re.findall(r'"(\w+)":"(\d{4}-\d\d-\d\dT[^"]*)"', answer.text)
        assert all(time.endswith("Z") for _, time in times), times
        found.update(name for name, _ in times)
    assert {"start_date", "modified_at", "told_at", "startDate"} <= found


def test_token_is_declared_and_what_follows_from_it(document: dict[str, Any]) -> None:
    ((name, scheme),) = document["components"]["securitySchemes"].items()
    assert (scheme["type"], scheme["scheme"]) == ("http", "bearer")
    for operation in to_operations(document):
        security = operation.get("security", [])
        is_for_few = security in [[{name: [scope]}] for scope in Scope]
        assert is_for_few or security in ([], [{}, {name: []}])
        assert is_for_few or operation["tags"] != ["operations"]
        if security:
            assert operation["responses"]["401"]["headers"]["WWW-Authenticate"]["required"]
        if is_for_few:
            assert "403" in operation["responses"]


def test_caching_is_declared_for_json(document: dict[str, Any]) -> None:
    answers = [operations["get"]["responses"] for operations in document["paths"].values() if "get" in operations]
    told = [each["200"]["headers"] for each in answers if "application/json" in each.get("200", {}).get("content", {})]
    assert len(told) > 5
    assert all({"ETag", "Cache-Control"} <= set(headers) for headers in told)


def test_bodies_are_declared_with_what_may_be_wrong_with_them(document: dict[str, Any]) -> None:
    retry = document["paths"]["/api/v1/quarantine/retry"]["post"]
    assert {"400", "413", "422"} <= set(retry["responses"])
    assert retry["requestBody"]["required"]
    assert retry["requestBody"]["content"]["application/json"]["examples"].keys() == {"some", "all"}


@pytest.mark.parametrize(
    ("public_url", "root_path", "expected"),
    [
        ("", "", "/"),
        ("", "/catalogue", "/catalogue"),
        ("https://data.example.org/c/", "", "https://data.example.org/c"),
        ("https://data.example.org", "/catalogue", "https://data.example.org"),
    ],
)
def test_document_names_the_address_of_the_service(
    catalogue: Catalogue, public_url: str, root_path: str, expected: str
) -> None:
    app = create_app(catalogue.settings, ApiSettings(public_url=public_url))
    with TestClient(app, root_path=root_path) as client:
        assert client.get(f"{root_path}{OPENAPI}").json()["servers"] == [{"url": expected}]


def test_start_leads_to_the_page(client: TestClient) -> None:
    assert 'href="/docs"' in client.get("/").text


def test_page_needs_no_other_server(client: TestClient) -> None:
    answer = client.get("/docs")
    addresses = re.findall(r"""(?:src|href|url)\s*[=:]\s*["']([^"']+)["']""", answer.text)
    assert set(addresses) == {"/docs/assets/swagger-ui.css", "/docs/assets/swagger-ui-bundle.js", OPENAPI, "data:,"}
    assert "//" not in answer.text.replace("<!-- ", "").replace(" //", "")
    assert '"validatorUrl": null' in answer.text
    for address in set(addresses) - {"data:,"}:
        assert client.get(address).status_code == 200
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "http" not in policy


def test_style_of_the_page_loads_nothing(client: TestClient) -> None:
    style = client.get("/docs/assets/swagger-ui.css").text
    assert {address[:5] for address in re.findall(r"url\(['\"]?([^)'\"]+)", style)} <= {"data:"}


def test_addresses_hold_behind_a_proxy(app: FastAPI) -> None:
    """The server puts the prefix back on that the proxy has stripped off."""
    with TestClient(app, root_path="/catalogue") as client:
        assert 'href="/catalogue/docs"' in client.get("/catalogue/").text
        page = client.get("/catalogue/docs").text
        assert "/catalogue/docs/assets/swagger-ui.css" in page
        assert f"'/catalogue{OPENAPI}'" in page
        assert client.get("/catalogue/docs/assets/swagger-ui.css").status_code == 200
        links = client.get("/catalogue/api/v1/datasets?q=a").json()["links"]
        assert links == {"self": "/catalogue/api/v1/datasets?q=a", "next": None}
        assert client.get(f"/catalogue{OPENAPI}").json()["servers"] == [{"url": "/catalogue"}]


def test_settings_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NXCAT_API_HOST", "0.0.0.0")  # noqa: S104 (nothing listens here)
    monkeypatch.setenv("NXCAT_API_PORT", "8080")
    monkeypatch.setenv("NXCAT_API_ROOT_PATH", "/catalogue")
    settings = ApiSettings()
    assert (settings.host, settings.port, settings.root_path) == ("0.0.0.0", 8080, "/catalogue")  # noqa: S104 (as above)
