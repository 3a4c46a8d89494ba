"""Searching a whole large facility's catalogue through the API, on either index, beside the same asked of the engine.

    PYTHONPATH=. python benchmarks/scale.py [--datasets 500000] [--engines elasticsearch embedded] [--heap 4g]

The catalogue is that of `population.py`, in SQLite; each index is filled by the rebuild that `nxcat reindex` is. Then
`nxcat serve` is asked over HTTP, an anonymous viewer's every query, one after the other; for Elasticsearch, a node of
this machine, the request that the index sends is sent to it once more by the bare client, in turns with the API's, over
the same HTTP library. What the node remembers of counts is dropped before each of them; *again* is asked while it
remembers. *All of them* are the percentiles of all these answers together, as of a day on which each kind is asked as
often as any other.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import closing, contextmanager, suppress
from functools import partial
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import urllib3
from population import Population

from facility.elasticsearch import Elasticsearch
from facility.server import find_free_port
from ingest.catalogue.finding import SearchQuestion, search_datasets
from ingest.catalogue.model.base import utc_now
from ingest.catalogue.search import Noun
from ingest.catalogue.search.elastic import ElasticIndex
from ingest.catalogue.search.elastic_client import make_client
from ingest.catalogue.settings import CatalogueSettings
from ingest.catalogue.visibility import ANONYMOUS
from ingest.proving import prove_index
from ingest.reindexing import rebuild_index, settle_rebuilt
from ingest.services import open_rebuild, open_services

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from elasticsearch import Elasticsearch as Server

ROUNDS = 100
DEEP_PAGES = 200
DEEP_LIMIT = 100
NXCAT = str(Path(sys.executable).with_name("nxcat"))
FACETS = (Noun.INSTRUMENT, Noun.TECHNIQUE, Noun.SAMPLE, Noun.PROBE)
QUERIES: dict[str, SearchQuestion] = {
    "newest first": SearchQuestion(),
    "newest first, 4 facets": SearchQuestion(facets=FACETS),
    "a word": SearchQuestion(text="hematite"),
    "two words, 4 facets": SearchQuestion(text="hematite fasttomo", facets=FACETS),
    "a phrase": SearchQuestion(text='"ascan mono"'),
    "the beginning of a word": SearchQuestion(text="tita*"),
    "a misspelt word": SearchQuestion(text="hemattite~"),
    "a range": SearchQuestion(text="energy:12..12.5 keV"),
    "two ranges, 4 facets": SearchQuestion(text="energy:8..9 keV temperature:<100 K", facets=FACETS),
    "a technique with the narrower ones": SearchQuestion(text='technique:"x-ray scattering"'),
    "elements, an instrument": SearchQuestion(text="elements:Fe,O instrument:id01"),
    "the end of a word": SearchQuestion(text="*matite"),
    "all but a word": SearchQuestion(text="not hematite start_date:2018..2019"),
    "in the order of a parameter": SearchQuestion(order_by="-energy"),
}
COUNTS = (
    "/api/v1/histograms/numbers?field=energy",
    "/api/v1/histograms/numbers?field=file_size&unit=GB",
    "/api/v1/histograms/dates?field=start_date",
    "/api/v1/facets/sample",
    "/api/v1/parameter-types",
    "/api/v1/suggest?text=he",
    "/api/v1/suggest?text=en",
)


def main() -> None:
    """Measure and print Markdown."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--datasets", type=int, default=500_000)
    parser.add_argument("--engines", nargs="*", default=["embedded", "elasticsearch"])
    parser.add_argument("--heap", default="4g", help="of Elasticsearch")
    parser.add_argument("--folder", type=Path, help="keeps the catalogue; one that is there is taken")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as passing:
        folder = arguments.folder or Path(passing)
        os.environ["NXCAT_DATA"] = str(folder)
        if not (folder / "catalogue.sqlite").exists():
            write_catalogue(folder, arguments.datasets)
        if "embedded" in arguments.engines:
            measure_embedded(folder, arguments.datasets)
        if "elasticsearch" in arguments.engines:
            measure_elasticsearch(arguments.datasets, arguments.heap)


def write_catalogue(folder: Path, count: int) -> None:
    """Leave the database with the whole catalogue."""
    began = time.perf_counter()
    with open_services() as services, services.write_sessions() as session, session.get_bind().engine.connect() as rows:
        for _ in Population(count).write(rows):
            rows.commit()
    size = (folder / "catalogue.sqlite").stat().st_size / count
    print(f"\n{count:,} datasets written at {count / (time.perf_counter() - began):,.0f}/s; {size:,.0f} bytes each\n")


def measure_embedded(folder: Path, count: int) -> None:
    """Fill and search the index in the data folder."""
    fill("the embedded index", count)
    size = sum(path.stat().st_size for path in (folder / "index").rglob("*") if path.is_file()) / count
    print(f"; {size:,.0f} bytes each\n\n| embedded index | found | p50 ms | p95 ms |\n|:--|--:|--:|--:|")
    with serving() as client:
        for name, question in QUERIES.items():
            total, spent = measure(client, question)
            print(f"| {name} | {total:,} | {to_cells(spent)} |", flush=True)
        measure_counts(client, lambda: None)
        measure_deep(client)


def measure_elasticsearch(count: int, heap: str) -> None:
    """Fill and search an index of a node that is started for it."""
    server = Elasticsearch({}, heap=heap)
    os.environ["NXCAT_ELASTICSEARCH_URL"] = server.address
    try:
        fill("Elasticsearch", count)
        with make_client(server.address) as bare:
            # As the rebuild leaves it: who merges all of it into one segment measures what no server in use has.
            kept = bare.indices.stats(index=CatalogueSettings().elasticsearch_index)["_all"]["primaries"]
            # Of what is searched: what was merged stays on disk until the server next syncs all of it.
            size, segments = kept["docs"]["total_size_in_bytes"] / count, kept["segments"]["count"]
            columns = "p50 ms | p95 ms | raw p50 | raw p95 | ratio of p95 | again p50"
            print(f"; {size:,.0f} bytes each in {segments} segments\n")
            print(f"| Elasticsearch | found | {columns} |\n|:--|--:|--:|--:|--:|--:|--:|--:|")
            with serving() as client:
                measure_all(bare, server.address, client)
                measure_deep(client)
    finally:
        server.stop()


def measure_all(bare: Server, address: str, client: urllib3.HTTPConnectionPool) -> None:
    """Print the row of each kind of question, one of all of them together, and what only counts."""
    forget = partial(bare.indices.clear_cache, index=CatalogueSettings().elasticsearch_index, request=True)
    through: list[float] = []
    bare_ones: list[float] = []
    for name, question in QUERIES.items():
        asked = record_request(address, question)
        total, spent, raw = measure_beside(client, question, partial(bare.msearch, **asked), forget)
        again = statistics.median(measure(client, question)[1])
        print(f"| {name} | {total:,} | {to_pair(spent, raw)} | {again:.1f} |", flush=True)
        through += spent
        bare_ones += raw
    print(f"| all of them | | {to_pair(through, bare_ones)} | |", flush=True)
    measure_counts(client, forget)


def measure_counts(client: urllib3.HTTPConnectionPool, forget: Callable[[], object]) -> None:
    """Print what it takes to count over all there is, the first time and again."""
    print("\n| asked | p50 ms | p95 ms | again p50 |\n|:--|--:|--:|--:|")
    for address in COUNTS:
        first: list[float] = []
        again: list[float] = []
        for _ in range(ROUNDS // 2):
            forget()
            first.append(timed(partial(get, client, address)))
            again.append(timed(partial(get, client, address)))
        print(f"| `{address}` | {to_cells(first)} | {statistics.median(again):.1f} |", flush=True)


def fill(name: str, count: int) -> None:
    """Leave the index with all datasets, and proved; print the rates."""
    began = time.perf_counter()
    with open_rebuild() as (sessions, rebuild):
        rebuild_index(sessions, rebuild, lambda _done, _total: None)
    with open_services() as services:
        settle_rebuilt(services)
        rate, began = count / (time.perf_counter() - began), time.perf_counter()
        if not prove_index(services, lambda _done, _total: None).is_equal:
            raise SystemExit("the index differs")
    proved = count / (time.perf_counter() - began)
    print(f"{name} rebuilt at {rate:,.0f} datasets/s, proved at {proved:,.0f}/s", end="", flush=True)


@contextmanager
def serving() -> Iterator[urllib3.HTTPConnectionPool]:
    """Yield a client of `nxcat serve`."""
    port = find_free_port()
    process = subprocess.Popen(
        [NXCAT, "serve", "--port", str(port)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        with urllib3.HTTPConnectionPool("127.0.0.1", port, timeout=60, retries=False) as client:
            wait(client)
            yield client
    finally:
        process.terminate()
        process.wait()


def wait(client: urllib3.HTTPConnectionPool) -> None:
    """Return as soon as the service answers."""
    for _ in range(600):
        with suppress(urllib3.exceptions.HTTPError):
            if client.request("GET", "/health/ready").status == HTTPStatus.OK:
                return
        time.sleep(0.1)
    raise SystemExit("the service does not start")


def to_parameters(question: SearchQuestion) -> dict[str, str]:
    """Return the query string of a question."""
    return {"q": question.text, "facets": ",".join(question.facets), "order_by": question.order_by}


def ask(client: urllib3.HTTPConnectionPool, question: SearchQuestion) -> int:
    """Return how many are found."""
    return int(get(client, f"/api/v1/datasets?{urlencode(to_parameters(question))}")["total"])


def get(client: urllib3.HTTPConnectionPool, address: str) -> Any:
    """Return the JSON that is there."""
    answer = client.request("GET", address)
    if answer.status != HTTPStatus.OK:
        raise SystemExit(f"{address}: {answer.status} {answer.data.decode()}")
    return answer.json()


def measure(client: urllib3.HTTPConnectionPool, question: SearchQuestion) -> tuple[int, list[float]]:
    """Return how many are found, and the milliseconds of each asking."""
    total = ask(client, question)
    return total, [timed(partial(ask, client, question)) for _ in range(ROUNDS)]


def measure_beside(
    client: urllib3.HTTPConnectionPool,
    question: SearchQuestion,
    search: Callable[[], object],
    forget: Callable[[], object],
) -> tuple[int, list[float], list[float]]:
    """Return as `measure`, and the milliseconds of the bare searches made in turns with it.

    Each goes first every other time: what comes second finds the caches warm.
    """
    total = ask(client, question)
    spent: list[float] = []
    raw: list[float] = []
    turns: list[tuple[list[float], Callable[[], object]]] = [
        (spent, partial(ask, client, question)),
        (raw, search),
    ]
    for _ in range(ROUNDS):
        turns.reverse()
        for times, work in turns:
            forget()
            times.append(timed(work))
    return total, spent, raw


def timed(work: Callable[[], object]) -> float:
    """Return the milliseconds that it takes."""
    began = time.perf_counter()
    work()
    return (time.perf_counter() - began) * 1e3


def to_slow(spent: Sequence[float]) -> float:
    """Return the 95th percentile."""
    return statistics.quantiles(spent, n=20)[-1]


def to_cells(spent: Sequence[float]) -> str:
    """Return median and 95th percentile as cells of a table."""
    return f"{statistics.median(spent):.1f} | {to_slow(spent):.1f}"


def to_pair(spent: Sequence[float], raw: Sequence[float]) -> str:
    """Return the cells of both, and how many times the slow ones of the API's take as long as the bare ones."""
    return f"{to_cells(spent)} | {to_cells(raw)} | {to_slow(spent) / to_slow(raw):.2f}"


def record_request(address: str, question: SearchQuestion) -> dict[str, Any]:
    """Return what the index asks Elasticsearch for that question."""
    asked: list[dict[str, Any]] = []
    with (
        open_services() as services,
        services.read_sessions() as session,
        closing(ElasticIndex(address, CatalogueSettings().elasticsearch_index)) as index,
    ):
        client = vars(index)["_client"]
        search = client.msearch

        def note(**request: Any) -> Any:
            asked.append(request)
            return search(**request)

        client.msearch = note
        search_datasets(session, index, ANONYMOUS, utc_now(), question)
    return asked[-1]


def measure_deep(client: urllib3.HTTPConnectionPool) -> None:
    """Print what the first and the last of many pages cost."""
    spent, address = [], f"/api/v1/datasets?limit={DEEP_LIMIT}"
    for _ in range(DEEP_PAGES):
        began = time.perf_counter()
        page = get(client, address)
        spent.append((time.perf_counter() - began) * 1e3)
        address = page["links"]["next"]
        if address is None:
            break
    first, last = statistics.median(spent[1:21]), statistics.median(spent[-20:])
    print(
        f"\nPages of {DEEP_LIMIT}, each by the `next` of the one before: the first 20 take {first:.1f} ms, the last of "
        f"{len(spent)} {last:.1f} ms.\n"
    )


if __name__ == "__main__":
    main()
