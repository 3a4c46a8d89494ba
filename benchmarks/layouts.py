"""How parameters could lie in Elasticsearch, on a large facility's catalogue: size, rate, and searches of numbers.

    PYTHONPATH=. python benchmarks/layouts.py --folder CATALOGUE [--datasets 500000] [--heap 4g]

The catalogue is one that `scale.py --folder` left. *nested* is the layout of the index: an object of name and numbers
for each parameter, whatever its name. *typed* has fields of its own for each name of the vocabulary, and nothing for
other names. *both* has all in objects, and those of the vocabulary in fields as well. Otherwise the documents are the
same. Bodies are made before and sent in turns to the three, each of which is merged; each search is asked of the three
in turns.
"""

from __future__ import annotations

import argparse
import os
from collections import defaultdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from elasticsearch.helpers import bulk
from scale import FACETS, ROUNDS, timed, to_cells

from facility.elasticsearch import Elasticsearch
from ingest.catalogue.indexing import load_documents
from ingest.catalogue.model.base import utc_now
from ingest.catalogue.search.elastic_client import make_client
from ingest.catalogue.search.elastic_layout import to_entry, to_mapping, to_settings
from ingest.catalogue.search.elastic_query import to_filters
from ingest.catalogue.search.index import VisibilityFilter
from ingest.catalogue.vocabulary import ValueType, load_vocabulary
from ingest.services import open_services

if TYPE_CHECKING:
    from collections.abc import Iterator

    from elasticsearch import Elasticsearch as Client

BATCH = 2000
LAYOUTS = ("nested", "typed", "both")
PARTS = ("value", "low", "high", "lowest")
ENERGY, TEMPERATURE = "InstrumentBeam_incident_energy", "Sample_temperature"
Body = dict[str, Any]


def main() -> None:
    """Measure and print Markdown."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--datasets", type=int, default=500_000)
    parser.add_argument("--heap", default="4g", help="of Elasticsearch")
    arguments = parser.parse_args()
    os.environ["NXCAT_DATA"] = str(arguments.folder)
    server = Elasticsearch({}, heap=arguments.heap)
    try:
        with make_client(server.address) as client:
            bare = client.options(request_timeout=600)
            fill(bare, arguments.datasets)
            search_all(bare)
    finally:
        server.stop()


def fill(client: Client, count: int) -> None:
    """Leave the three indices filled and merged; print their rates and sizes."""
    spent: dict[str, float] = defaultdict(float)
    for layout in LAYOUTS:
        client.indices.create(index=layout, settings=to_layout_settings(), mappings=to_layout_mapping(layout))
    for entries in make_entries(count):
        for layout in LAYOUTS:
            bodies = [{"_id": str(entry["id"]), "_source": to_body(layout, entry)} for entry in entries]
            spent[layout] += timed(partial(bulk, client, bodies, index=layout))
    print("| layout | datasets/s | bytes each |\n|:--|--:|--:|")
    for layout in LAYOUTS:
        client.indices.forcemerge(index=layout, max_num_segments=1)
        client.indices.refresh(index=layout)
        size = client.indices.stats(index=layout)["_all"]["primaries"]["store"]["size_in_bytes"] / count
        print(f"| {layout} | {count / spent[layout] * 1e3:,.0f} | {size:,.0f} |", flush=True)


def search_all(client: Client) -> None:
    """Ask each search of the three layouts in turns; print the times."""
    print(f"\n| search | found | {' | '.join(f'{each} p50 | p95' for each in LAYOUTS)} |\n|:--|{'--:|' * 7}")
    for name, bodies in make_searches().items():
        asked = {
            layout: partial(client.search, index=layout, track_total_hits=True, **bodies[layout]) for layout in bodies
        }
        found = {search()["hits"]["total"]["value"] for search in asked.values()}
        spent: dict[str, list[float]] = defaultdict(list)
        for _ in range(ROUNDS):
            for layout, search in asked.items():
                spent[layout].append(timed(search))
        told = ", ".join(f"{total:,}" for total in sorted(found))
        print(f"| {name} | {told} | {' | '.join(to_cells(spent[layout]) for layout in LAYOUTS)} |", flush=True)


def make_entries(count: int) -> Iterator[list[Body]]:
    """Yield the entries of the catalogue's datasets, in batches."""
    with open_services() as services, services.read_sessions() as session:
        for first in range(1, count + 1, BATCH):
            ids = range(first, min(first + BATCH, count + 1))
            yield [to_entry(document) for document in load_documents(session, list(ids))]
            session.rollback()


def list_known() -> list[str]:
    """Return the names of the vocabulary that have numbers."""
    return [each.name for each in load_vocabulary().values() if each.value_type is ValueType.NUMERIC]


def to_layout_settings() -> Body:
    """Return the settings of the index, with room for the fields."""
    return to_settings() | {"mapping.total_fields.limit": 20_000}


def to_layout_mapping(layout: str) -> Body:
    """Return the mapping of the index with the numbers as the layout has them."""
    mapping = to_mapping()
    number = {"type": "double"}
    if layout != "nested":
        typed = {name: {"properties": dict.fromkeys(PARTS, number)} for name in list_known()}
        mapping["properties"]["typed"] = {"properties": typed}
    if layout == "typed":
        del mapping["properties"]["number"]
    return mapping


def to_body(layout: str, entry: Body) -> Body:
    """Return the entry with its numbers as the layout has them; the catalogue has no name but the vocabulary's."""
    if layout == "nested":
        return entry
    fields = {each["name"]: {part: each[part] for part in PARTS if part in each} for each in entry["number"]}
    kept = entry if layout == "both" else {name: value for name, value in entry.items() if name != "number"}
    return kept | {"typed": fields}


def make_searches() -> dict[str, dict[str, Body]]:
    """Return each search as its request to each layout."""
    facets = {noun.value: {"terms": {"field": f"facet_{noun}", "size": 20}} for noun in FACETS}
    newest = {"sort": [{"newest": "desc"}], "size": 21}
    ways: dict[str, Any] = {"nested": Nested(), "typed": Typed(), "both": Typed()}
    made: dict[str, dict[str, Body]] = defaultdict(dict)
    for layout, way in ways.items():
        cold = way.filter_range(TEMPERATURE, -1e308, 100)
        made["a range"][layout] = newest | to_query(way.filter_range(ENERGY, 12, 12.5))
        made["two ranges, 4 facets"][layout] = (
            newest | to_query(way.filter_range(ENERGY, 8, 9), cold) | {"aggs": facets}
        )
        made["a wide range, 4 facets"][layout] = newest | to_query(way.filter_range(ENERGY, 1, 100)) | {"aggs": facets}
        made["a histogram over all"][layout] = {"size": 0} | to_query() | {"aggs": way.count_bins(ENERGY)}
        made["sorted by a parameter"][layout] = {"size": 21, "sort": [way.sort(ENERGY)]} | to_query()
    return made


def to_query(*filters: Body) -> Body:
    """Return the query of an anonymous viewer."""
    seen = to_filters(VisibilityFilter(sees_all=False, now=utc_now()), ())
    return {"query": {"bool": {"filter": [*filters, *seen]}}}


class Nested:
    """Requests to objects of name and numbers."""

    def filter_range(self, name: str, low: float, high: float) -> Body:
        """Return the clause of values inside and ranges that overlap."""
        named = {"term": {"number.name": name}}
        query = {"bool": {"filter": [named, overlap("number", low, high)]}}
        return {"nested": {"path": "number", "query": query, "score_mode": "none"}}

    def count_bins(self, name: str) -> Body:
        """Return the aggregation of a histogram of values."""
        named = {"filter": {"term": {"number.name": name}}, "aggs": {"bins": histogram("number")}}
        return {"numbers": {"nested": {"path": "number"}, "aggs": {"named": named}}}

    def sort(self, name: str) -> Body:
        """Return the order by the lowest number."""
        return {
            "number.lowest": {"order": "asc", "nested": {"path": "number", "filter": {"term": {"number.name": name}}}}
        }


class Typed:
    """Requests to fields of their own."""

    def filter_range(self, name: str, low: float, high: float) -> Body:
        """As Nested."""
        return overlap(f"typed.{name}", low, high)

    def count_bins(self, name: str) -> Body:
        """As Nested."""
        return {"bins": histogram(f"typed.{name}")}

    def sort(self, name: str) -> Body:
        """As Nested."""
        return {f"typed.{name}.lowest": "asc"}


def overlap(field: str, low: float, high: float) -> Body:
    """Return the clause of a value inside, or a range that overlaps."""
    inside = {"range": {f"{field}.value": {"gte": low, "lte": high}}}
    across = [{"range": {f"{field}.high": {"gte": low}}}, {"range": {f"{field}.low": {"lte": high}}}]
    return {"bool": {"should": [inside, {"bool": {"filter": across}}], "minimum_should_match": 1}}


def histogram(field: str) -> Body:
    """Return the aggregation of twenty bins."""
    ranges = [{"from": 2.0 * number, "to": 2.0 * number + 2} for number in range(20)]
    return {"range": {"field": f"{field}.value", "ranges": ranges}}


if __name__ == "__main__":
    main()
