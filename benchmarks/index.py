"""What an index takes and answers in: documents a second, bytes a document, milliseconds a search.

    PYTHONPATH=. python benchmarks/index.py [--documents 200000] [--elasticsearch]

Of Elasticsearch, a node of this machine, the floor is measured in the same run: bodies made before, sent by `bulk`, and
the same searches asked of the client without more.

The documents have 30 parameters each out of 200 names; one in ten is closed to the one who asks.
"""

from __future__ import annotations

import argparse
import random
import statistics
import tempfile
import time
from contextlib import closing
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from elasticsearch.helpers import bulk

from facility.elasticsearch import Elasticsearch
from ingest.catalogue.document import NumericEntry, SearchDocument
from ingest.catalogue.search import FacetRequest, Noun, SearchRequest, Sort, VisibilityFilter, parse_query, resolve
from ingest.catalogue.search.elastic import ElasticIndex
from ingest.catalogue.search.elastic_client import make_client
from ingest.catalogue.search.elastic_layout import to_entry, to_mapping, to_settings
from ingest.catalogue.search.elastic_query import to_clause
from ingest.catalogue.search.embedded import EmbeddedIndex

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from elasticsearch import Elasticsearch as Client

    from ingest.catalogue.search import DatasetIndex

BATCH = 10_000
ROUNDS = 60
NAMES = [f"Parameter_{number:03d}" for number in range(200)]
WORDS = (
    "ascan",
    "loopscan",
    "powder",
    "tooth",
    "amber",
    "capillary",
    "hematite",
    "operando",
    "mapping",
    "tomography",
    "cathode",
    "zeolite",
)
START = datetime(2015, 1, 1, tzinfo=UTC)
NOW = datetime(2026, 1, 1, tzinfo=UTC)
FACETS = tuple(FacetRequest(noun) for noun in (Noun.INSTRUMENT, Noun.TECHNIQUE, Noun.SAMPLE, Noun.PROBE))


def main() -> None:
    """Measure and print Markdown."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--documents", type=int, default=200_000)
    parser.add_argument("--elasticsearch", action="store_true", help="measure a node of it instead")
    arguments = parser.parse_args()
    (measure_elasticsearch if arguments.elasticsearch else measure_embedded)(arguments.documents)


def measure_embedded(count: int) -> None:
    """Fill and search an index in a temporary folder."""
    with tempfile.TemporaryDirectory() as folder, closing(EmbeddedIndex(Path(folder) / "index")) as index:
        rate = fill(index, count)
        size = sum(path.stat().st_size for path in Path(folder).rglob("*") if path.is_file()) / count
        print(f"{rate:,.0f} documents a second in commits of {BATCH:,}; {size:,.0f} bytes a document\n")
        print("| search | p50 ms | p95 ms |\n|:--|--:|--:|")
        for name, request in to_requests().items():
            median, slow = measure(partial(index.search, request))
            print(f"| {name} | {median:.1f} | {slow:.1f} |")


def measure_elasticsearch(count: int) -> None:
    """Fill and search an index of a node that is started for it, beside the same without us."""
    server = Elasticsearch({}, heap="2g")
    with closing(ElasticIndex(server.address, "bench")) as index, make_client(server.address) as client:
        floor = fill_raw(client, count)
        rate = fill(index, count)
        client.indices.forcemerge(index="bench", max_num_segments=1)
        size = client.indices.stats(index="bench")["_all"]["primaries"]["store"]["size_in_bytes"] / count
        print(
            f"{rate:,.0f} documents a second in bulks of {BATCH:,}, as a floor {floor:,.0f}; {size:,.0f} bytes each\n"
        )
        print("| search | p50 ms | p95 ms | raw p50 | raw p95 | ratio of p95 |\n|:--|--:|--:|--:|--:|--:|")
        for name, request in to_requests().items():
            median, slow = measure(partial(index.search, request))
            raw_median, raw_slow = measure(partial(client.search, index="bench", **to_body(request)))
            print(f"| {name} | {median:.1f} | {slow:.1f} | {raw_median:.1f} | {raw_slow:.1f} | {slow / raw_slow:.2f} |")
    server.stop()


def fill(index: DatasetIndex, count: int) -> float:
    """Write the documents, the making of them included; return how many a second."""
    began = time.perf_counter()
    for first in range(1, count, BATCH):
        index.write(make_documents(first, min(BATCH, count + 1 - first)))
    return count / (time.perf_counter() - began)


def fill_raw(client: Client, count: int) -> float:
    """Send the same bodies, made before, to another index; return how many a second."""
    client.indices.create(index="floor", settings=to_settings(), mappings=to_mapping())
    spent = 0.0
    for first in range(1, count, BATCH):
        entries = [to_entry(document) for document in make_documents(first, min(BATCH, count + 1 - first))]
        began = time.perf_counter()
        bulk(client, ({"_id": str(entry["id"]), "_source": entry} for entry in entries), index="floor")
        client.indices.refresh(index="floor")
        spent += time.perf_counter() - began
    client.indices.delete(index="floor")
    return count / spent


def to_body(request: SearchRequest) -> dict[str, Any]:
    """Return what the index asks for that search."""
    order = [{"_score": "desc"}] if request.sort is Sort.RELEVANCE else [{"newest": "desc"}]
    aggregations = {facet.noun.value: {"terms": {"field": f"facet_{facet.noun}"}} for facet in request.facets}
    body = {"query": to_clause(request), "sort": order, "size": request.limit + 1, "track_total_hits": True}
    return body | {"aggs": aggregations, "stored_fields": "_none_", "docvalue_fields": ["id", "revision"]}


def to_requests() -> dict[str, SearchRequest]:
    """Return the searches that are measured, by their names."""
    return {
        "newest first": to_request(""),
        "newest first, 4 facets": to_request("", facets=FACETS),
        "a range of one parameter": to_request("Parameter_007:40..41"),
        "a range, 4 facets": to_request("Parameter_007:40..41", facets=FACETS),
        "a word": to_request("tooth", sort=Sort.RELEVANCE),
        "a word and an instrument": to_request("instrument:id11 tooth"),
    }


def make_documents(first: int, count: int) -> Iterator[SearchDocument]:
    """Yield documents with ids from `first`; the same for the same ids."""
    for number in range(first, first + count):
        chance = random.Random(number)  # noqa: S311 (no secret)
        values = [(name, 100 * chance.random()) for name in chance.sample(NAMES, 30)]
        start = START + timedelta(minutes=30 * number)
        yield SearchDocument(
            id=number,
            revision=1,
            name=f"sample_{number:07d}",
            facility="local",
            investigation=f"hc{number // 200}/20200101",
            proposal=f"hc{number // 200}",
            titles=(" ".join(chance.sample(WORDS, 3)),),
            instruments=(f"id{chance.randrange(47):02d}",),
            samples=(chance.choice(WORDS),),
            techniques=(f"technique {chance.randrange(20)}",),
            probes=("x-ray",),
            start_date=start,
            end_date=start + timedelta(minutes=20),
            numbers=tuple(NumericEntry(name, value, value) for name, value in values),
            release_date=None if number % 10 == 0 else start,
        )


def to_request(text: str, **asked: object) -> SearchRequest:
    """Return the search of somebody who does not see all."""
    query = resolve(parse_query(text), dict.fromkeys(NAMES, ""), {})
    return SearchRequest(visibility=VisibilityFilter(sees_all=False, now=NOW), query=query, **asked)  # type: ignore[arg-type]


def measure(search: Callable[[], object]) -> tuple[float, float]:
    """Search many times; return the median and the 95th percentile in milliseconds."""
    spent = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        search()
        spent.append((time.perf_counter() - began) * 1e3)
    return statistics.median(spent), statistics.quantiles(spent, n=20)[-1]


if __name__ == "__main__":
    main()
