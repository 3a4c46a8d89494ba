"""Addresses that the service gives out: within it paths, to the world with scheme and host."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from fastapi import Request  # noqa: TC002 (FastAPI reads it)
from fastapi.testclient import TestClient

from api.app import create_app
from api.links import to_address, to_public_address
from api.settings import ApiSettings

if TYPE_CHECKING:
    from tests.entities import Catalogue


def show_thing(request: Request, name: str) -> list[str]:
    return [name, to_address(request, "show_thing", name=name), to_public_address(request, "show_thing", name=name)]


def to_client(catalogue: Catalogue, root_path: str, **settings: str) -> TestClient:
    app = create_app(catalogue.settings, ApiSettings(**settings))
    app.add_api_route("/things/{name:path}", show_thing, operation_id="show_thing", name="show_thing")
    return TestClient(app, base_url="http://inside:8000", root_path=root_path)


@pytest.mark.parametrize(
    ("public_url", "root_path", "address", "public"),
    [
        ("", "", "/things/a", "http://inside:8000/things/a"),
        ("", "/catalogue", "/catalogue/things/a", "http://inside:8000/catalogue/things/a"),
        ("https://data.example.org", "", "/things/a", "https://data.example.org/things/a"),
        ("https://data.example.org/", "/catalogue", "/catalogue/things/a", "https://data.example.org/things/a"),
        ("https://data.example.org/c", "/inner", "/inner/things/a", "https://data.example.org/c/things/a"),
    ],
)
def test_address_to_the_world_is_the_setting_else_the_request(
    catalogue: Catalogue, public_url: str, root_path: str, address: str, public: str
) -> None:
    with to_client(catalogue, root_path, public_url=public_url) as client:
        assert client.get(f"{root_path}/things/a").json() == ["a", address, public]


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("10.5072/abc", "/things/10.5072/abc"),
        ("a b", "/things/a%20b"),
        ("a?b#c", "/things/a%3Fb%23c"),
        ("50%", "/things/50%25"),
        ("µ\\x", "/things/%C2%B5%5Cx"),
    ],
)
def test_names_are_encoded_and_lead_back(catalogue: Catalogue, name: str, path: str) -> None:
    with to_client(catalogue, "", public_url="https://data.example.org") as client:
        assert client.get(path).json() == [name, path, f"https://data.example.org{path}"]
