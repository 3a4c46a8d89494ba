"""How numbers could lie in Elasticsearch, on a large facility's catalogue: size, rate, and searches for them.

    PYTHONPATH=. python benchmarks/layouts.py --folder CATALOGUE [--datasets 500000] [--heap 4g]

The catalogue is one that `scale.py --folder` left. *fields* is the layout of the index: fields of its own for each name
of the vocabulary. *nested* is how other names lie, for all of them: an object of name and numbers for each parameter.
Otherwise the documents are the same. Each search is what the index asks of the server, without what is around it, in
turns of the two; what the server remembers of counts is dropped before.
"""

from __future__ import annotations

import argparse
import os
import time
from collections import defaultdict
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING
from unittest.mock import patch

from scale import FACETS, ROUNDS, timed, to_cells

from facility.elasticsearch import Elasticsearch
from ingest.catalogue.indexing import load_documents
from ingest.catalogue.model.base import utc_now
from ingest.catalogue.search import (
    And,
    FacetRequest,
    NumberSort,
    ParameterRange,
    SearchRequest,
    VisibilityFilter,
    elastic_numbers,
    elastic_parameters,
)
from ingest.catalogue.search.elastic import ElasticIndex
from ingest.catalogue.search.elastic_client import make_client
from ingest.services import open_services

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from elasticsearch import Elasticsearch as Client

    from ingest.catalogue.document import SearchDocument

BATCH = 2000
LAYOUTS = {"nested": frozenset[str](), "fields": elastic_numbers.list_known()}
ENERGY, TEMPERATURE = "InstrumentBeam_incident_energy", "Sample_temperature"
EDGES = tuple(2.0 * number for number in range(21))


def main() -> None:
    """Measure and print Markdown."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--datasets", type=int, default=500_000)
    parser.add_argument("--heap", default="4g", help="of Elasticsearch")
    arguments = parser.parse_args()
    os.environ["NXCAT_DATA"] = str(arguments.folder)
    server = Elasticsearch({}, heap=arguments.heap)
    os.environ["NXCAT_ELASTICSEARCH_URL"] = server.address
    try:
        with make_client(server.address) as client:
            fill(server.address, client, arguments.datasets)
            search_all(server.address, client)
    finally:
        server.stop()


@contextmanager
def laid_out(layout: str, address: str) -> Iterator[ElasticIndex]:
    """Yield the index of that layout, as long as it is the one that the code has."""
    known = LAYOUTS[layout]
    with (
        patch.object(elastic_numbers, "list_known", lambda: known),
        patch.object(elastic_parameters, "list_known", lambda: known),
        closing(ElasticIndex(address, layout)) as index,
    ):
        yield index


def fill(address: str, client: Client, count: int) -> None:
    """Leave both indices filled; print their rates and sizes."""
    spent: dict[str, float] = defaultdict(float)
    for documents in read_documents(count):
        for layout in LAYOUTS:
            with laid_out(layout, address) as index:
                spent[layout] += timed(partial(index.write, documents))
    print("| layout | datasets/s | bytes each |\n|:--|--:|--:|")
    for layout in LAYOUTS:
        size = client.indices.stats(index=layout)["_all"]["primaries"]["docs"]["total_size_in_bytes"] / count
        print(f"| {layout} | {count / spent[layout] * 1e3:,.0f} | {size:,.0f} |", flush=True)


def search_all(address: str, client: Client) -> None:
    """Ask each search of both layouts in turns; print the times."""
    print(f"\n| search | {' | '.join(f'{each} p50 | p95' for each in LAYOUTS)} |\n|:--|{'--:|' * 4}")
    for name, ask in make_searches().items():
        spent: dict[str, list[float]] = {layout: [] for layout in LAYOUTS}
        for _ in range(ROUNDS):
            answers = [time_one(address, client, layout, ask, spent[layout]) for layout in LAYOUTS]
            if answers[0] != answers[1]:
                raise SystemExit(f"{name}: {answers}")
        print(f"| {name} | {' | '.join(map(to_cells, spent.values()))} |", flush=True)


def time_one(
    address: str, client: Client, layout: str, ask: Callable[[ElasticIndex], object], spent: list[float]
) -> object:
    """Return the answer of that layout, and add the milliseconds that it took."""
    with laid_out(layout, address) as index:
        # Whoever uses an index first asks for its mapping.
        index.revisions(limit=1)
        client.indices.clear_cache(index=layout, request=True)
        began = time.perf_counter()
        answer = ask(index)
        spent.append((time.perf_counter() - began) * 1e3)
        return answer


def read_documents(count: int) -> Iterator[list[SearchDocument]]:
    """Yield the documents of the catalogue's datasets, in batches."""
    with open_services() as services, services.read_sessions() as session:
        for first in range(1, count + 1, BATCH):
            yield load_documents(session, list(range(first, min(first + BATCH, count + 1))))
            session.rollback()


def make_searches() -> dict[str, Callable[[ElasticIndex], object]]:
    """Return what is asked, each as a call that both layouts answer alike: an anonymous viewer's."""
    seen = VisibilityFilter(sees_all=False, now=utc_now())
    facets = tuple(map(FacetRequest, FACETS))
    cold = And((ParameterRange(ENERGY, 8.0, 9.0), ParameterRange(TEMPERATURE, None, 100.0)))
    requests = {
        "a range": SearchRequest(seen, ParameterRange(ENERGY, 12.0, 12.5)),
        "two ranges, 4 facets": SearchRequest(seen, cold, facets=facets),
        "a wide range, 4 facets": SearchRequest(seen, ParameterRange(ENERGY, 1.0, 100.0), facets=facets),
        "in the order of a parameter": SearchRequest(seen, sort=NumberSort(ENERGY)),
    }
    searches: dict[str, Callable[[ElasticIndex], object]] = {
        name: partial(ElasticIndex.search, request=request) for name, request in requests.items()
    }
    return searches | {
        "a histogram over all": partial(
            ElasticIndex.count_numbers, request=SearchRequest(seen), name=ENERGY, edges=EDGES
        ),
        "what a parameter reaches from and to": partial(
            ElasticIndex.measure_found, request=SearchRequest(seen), name=ENERGY
        ),
    }


if __name__ == "__main__":
    main()
