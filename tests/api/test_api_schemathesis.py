"""What the OpenAPI document promises is kept, whatever is asked: Schemathesis asks over every operation in it.

Its own checks judge: no 5xx, and status, media type, headers and body as the document has them; what the document
refuses is refused, and a method that it does not name is not there.
"""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import requests
import schemathesis
import uvicorn
from hypothesis import HealthCheck, Phase, assume, settings
from schemathesis.checks import load_all_checks
from schemathesis.config import SchemathesisConfig
from schemathesis.generation.feedback import NO_FEEDBACK
from schemathesis.pytest._test_builder import build_operation_test

from api.app import create_app
from api.limits import MAX_ADDRESS
from ingest.catalogue.access import Scope, create_token
from ingest.catalogue.model import Datafile, Dataset, MasterFile, MasterState, Root
from tests.entities import FUTURE, PAST, add_dataset, to_master

if TYPE_CHECKING:
    from collections.abc import Iterator

    from schemathesis.schemas import BaseSchema
    from sqlalchemy.orm import Session

    from tests.entities import Catalogue

EXAMPLE, EXAMPLE_FILE = 42, "scan0001/eiger_0000.h5"
"""The dataset and the file that the document names in its examples."""
CLOSED = {"release_date": FUTURE, "is_metadata_public": True}
SECONDS = 300
"""Until an answer is given up: what is slow is measured elsewhere."""
# A document cannot say what makes a query or a cursor; what is wrong with one is told with 400.
ACCEPTANCE = {"expected-statuses": ["2xx", "3xx", "400", "401", "403", "404", "409"]}
# Trees are asked in test_api_search_orders.py: values for a schema that holds itself take minutes to make.
BY_TREE = "/api/v1/search"
DOCUMENT = create_app().openapi()
OPERATIONS = [(method, path) for path, each in DOCUMENT["paths"].items() for method in each if path != BY_TREE]


@pytest.fixture(scope="module")
def schema() -> BaseSchema:
    """Return the document as Schemathesis reads it."""
    load_all_checks()
    config = {"seed": 1, "checks": {"positive_data_acceptance": ACCEPTANCE}}
    return schemathesis.openapi.from_dict(DOCUMENT, config=SchemathesisConfig.from_dict(config))


@pytest.fixture(scope="module")
def asking(module_catalogue: Catalogue, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[requests.Session]]:
    """Fill the catalogue, and yield connections for everybody and for who may do all."""
    with module_catalogue.sessions.begin() as session:
        add_dataset(session, "zinnia", scans=2, files=3)
        add_dataset(session, "marigold", **CLOSED)
        add_dataset(session, "nightshade", is_secret=True)
        add_dataset(session, "daisy", id=EXAMPLE, scans=2)
        for dataset in session.query(Dataset):
            write_files(session, dataset, tmp_path_factory.mktemp("root"))
        bad = {"state": MasterState.QUARANTINED, "reason": "not HDF5", "last_error": "no signature", "failures": 3}
        session.add_all(to_master(1, f"/data/bad-{number}.h5", **bad) for number in range(3))
        token = create_token(session, "operator", Scope, PAST, None)
    module_catalogue.index_all()
    with requests.Session() as anonymous, requests.Session() as operator:
        operator.headers["Authorization"] = f"Bearer {token.text}"
        yield [anonymous, operator]


def write_files(session: Session, dataset: Dataset, folder: Path) -> None:
    """Put the files of the dataset on disk, in a root of its own."""
    master = session.get_one(MasterFile, dataset.master_file_id)
    session.get_one(Root, master.root_id).path = str(folder)
    dataset.location = str(folder / dataset.name)
    for file in session.query(Datafile).where(Datafile.dataset_id == dataset.id):
        if (file.dataset_id, file.ordinal) == (EXAMPLE, 0):
            file.name = EXAMPLE_FILE
        path = Path(dataset.location, file.name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x" * file.file_size)
        os.utime(path, ns=(file.mtime_ns, file.mtime_ns))


@pytest.fixture(scope="module")
def address(module_catalogue: Catalogue) -> Iterator[str]:
    """Serve the catalogue, as `nxcat serve` does, on a free port."""
    server = uvicorn.Server(uvicorn.Config(create_app(module_catalogue.settings), port=0, log_level="warning"))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started and thread.is_alive():
        time.sleep(0.01)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join()


# What is asked is made by the test: Schemathesis's own decorator makes all of it, 10 s, as each worker collects tests.
@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_document_is_kept(
    schema: BaseSchema, method: str, path: str, address: str, asking: list[requests.Session]
) -> None:
    operation = schema[path][method]
    keep = build_operation_test(
        config=schema.config, operation=operation, test_func=keep_document, given_kwargs={}, feedback=NO_FEEDBACK
    )
    keep(address=address, asking=asking)


@settings(
    max_examples=4,
    derandomize=True,
    database=None,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def keep_document(case: schemathesis.Case, address: str, asking: list[requests.Session]) -> None:
    # The document cannot say how long all parameters may be together, and the server hangs up on a longer line.
    assume(len(str(requests.Request(**case.as_transport_kwargs(base_url=address)).prepare().url)) <= MAX_ADDRESS)
    for session in asking:
        case.call_and_validate(base_url=address, session=session, timeout=SECONDS)


@pytest.mark.parametrize(
    "path",
    [f"/api/v1/datasets/{EXAMPLE}", f"/api/v1/datasets/{EXAMPLE}/files", f"/files/{EXAMPLE}/{EXAMPLE_FILE}",
     f"/archives/{EXAMPLE}.zip"],
)  # fmt: skip
def test_examples_of_the_document_are_there(address: str, asking: list[requests.Session], path: str) -> None:
    assert asking[0].get(f"{address}{path}", timeout=SECONDS).status_code == 200
