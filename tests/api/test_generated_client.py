"""A client that a generator makes of the OpenAPI document works against the service, errors included."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from api.app import create_app
from ingest.catalogue.access import Scope, create_token
from tests.api.folders import serving
from tests.entities import PAST, START, add_dataset

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.entities import Catalogue

PACKAGE = "nxcat_client"
# The generator knows no archives, and would leave that answer out with a warning.
CONFIG = "content_type_overrides:\n  application/zip: application/octet-stream\n"
LISTS = {
    "investigations": "list_investigations",
    "samples": "list_samples",
    "instruments": "list_instruments",
    "techniques": "list_techniques",
    "parameter_types": "list_parameter_types",
}


@pytest.fixture(scope="module")
def tokens(module_catalogue: Catalogue) -> dict[Scope, str]:
    with module_catalogue.sessions.begin() as session:
        add_dataset(session, "zinnia", scans=2)
        add_dataset(session, "daisy")
        add_dataset(session, "nightshade", is_secret=True)
        made = {scope: create_token(session, scope, [scope], PAST, None).text for scope in Scope}
    module_catalogue.index_all()
    return made


@pytest.fixture(scope="module")
def address(module_catalogue: Catalogue) -> Iterator[str]:
    with serving(create_app(module_catalogue.settings)) as served:
        yield served


@pytest.fixture(scope="module")
def package(address: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Generate a client out of what the service says of itself; it is to be understood without a warning."""
    folder = tmp_path_factory.mktemp("generated")
    write_client(address, folder)
    sys.path.insert(0, str(folder))
    yield PACKAGE
    sys.path.remove(str(folder))


def write_client(address: str, folder: Path) -> None:
    config = folder / "config.yaml"
    config.write_text(CONFIG)
    command = [sys.executable, "-m", "openapi_python_client", "generate", "--url", f"{address}/api/v1/openapi.json"]
    command += ["--config", str(config), "--output-path", str(folder / PACKAGE), "--meta", "none", "--fail-on-warning"]
    # It has what it wrote set in order by ruff, which is beside Python.
    environment = os.environ | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def call(package: str, address: str, operation: str, *arguments: Any, token: str = "", **asked: Any) -> Any:
    """Return what the operation of that group and name answers, as the client understands it."""
    client = import_module(f"{package}.client")
    kind = client.AuthenticatedClient(address, token) if token else client.Client(address)
    with kind as opened:
        return import_module(f"{package}.api.{operation}").sync(*arguments, client=opened, **asked)


def test_datasets_are_found_and_shown(package: str, address: str, tokens: dict[Scope, str]) -> None:
    page = call(package, address, "datasets.search_datasets", q="zinnia", instrument=["zinnia-bm"], limit=1)
    assert (page.total, page.next_, [hit.name for hit in page.items]) == (1, None, ["zinnia_0001"])
    dataset = call(package, address, "datasets.get_dataset", page.items[0].id)
    assert (dataset.name, dataset.scan_count, dataset.start_date) == ("zinnia_0001", 2, START)
    assert dataset.investigation.name == "zinnia/v1"
    everything = call(package, address, "datasets.search_datasets", token=tokens[Scope.READ])
    assert everything.total == 3


def test_pages_are_followed(package: str, address: str, tokens: dict[Scope, str]) -> None:
    assert tokens
    names, cursor = [], ""
    while cursor is not None:
        page = call(package, address, "datasets.search_datasets", sort=to_sort(package, "name"), limit=1, cursor=cursor)
        names += [hit.name for hit in page.items]
        cursor = page.next_
    assert names == ["daisy_0001", "zinnia_0001"]


def to_sort(package: str, value: str) -> Any:
    return import_module(f"{package}.models.sort").Sort(value)


def test_every_list_is_understood(package: str, address: str, tokens: dict[Scope, str]) -> None:
    assert tokens
    for group, operation in LISTS.items():
        page = call(package, address, f"{group}.{operation}", limit=2)
        assert len(page.items) == 2, operation
        one = call(package, address, f"{group}.get_{operation.removeprefix('list_')[:-1]}", page.items[0].id)
        assert one.to_dict().items() >= page.items[0].to_dict().items()


def test_parts_of_a_dataset_are_understood(package: str, address: str, tokens: dict[Scope, str]) -> None:
    assert tokens
    scans = call(package, address, "datasets.list_scans", 1)
    scan = call(package, address, "datasets.get_scan", 1, scans.items[1].entry_name)
    assert scan.to_dict() == scans.items[1].to_dict()
    parameters = call(package, address, "datasets.list_parameters", 1, scan="*")
    assert {(each.unit, each.value_type.value) for each in parameters.items} == {("keV", "NUMERIC")}
    assert call(package, address, "datasets.list_files", 1).items[0].file_size == 10
    assert call(package, address, "datasets.get_record", 1).kind == "hdf5-nexus"


def test_errors_are_understood_as_problems(package: str, address: str, tokens: dict[Scope, str]) -> None:
    told = [
        call(package, address, "datasets.get_dataset", 3),
        call(package, address, "datasets.search_datasets", q="energy:1..2 parsec"),
        call(package, address, "datasets.search_datasets", limit=0),
        call(package, address, "operations.get_status"),
        call(package, address, "operations.get_status", token=tokens[Scope.READ]),
    ]
    assert [(each.status, each.code) for each in told] == [
        (404, "not_found"),
        (400, "invalid_query"),
        (422, "invalid_parameter"),
        (401, "missing_token"),
        (403, "missing_scope"),
    ]
    assert call(package, address, "operations.get_status", token=tokens[Scope.OPERATE]).dataset_count == 3
