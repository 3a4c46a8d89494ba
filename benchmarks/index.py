"""What the embedded index takes and answers in: documents a second, bytes a document, milliseconds a search.

    python benchmarks/index.py [--documents 200000]

The documents have 30 parameters each out of 200 names; one in ten is closed to the one who asks.
"""

from __future__ import annotations

import argparse
import random
import statistics
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from ingest.catalogue.document import NumericEntry, SearchDocument
from ingest.catalogue.search import FacetRequest, Noun, SearchRequest, Sort, VisibilityFilter, parse_query, resolve
from ingest.catalogue.search.embedded import EmbeddedIndex

if TYPE_CHECKING:
    from collections.abc import Iterator

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
    count = parser.parse_args().documents
    with tempfile.TemporaryDirectory() as folder:
        index = EmbeddedIndex(Path(folder) / "index")
        began = time.perf_counter()
        for first in range(1, count, BATCH):
            index.write(make_documents(first, min(BATCH, count + 1 - first)))
        rate = count / (time.perf_counter() - began)
        size = sum(path.stat().st_size for path in Path(folder).rglob("*") if path.is_file()) / count
        print(f"{rate:,.0f} documents a second in commits of {BATCH:,}; {size:,.0f} bytes a document\n")
        print("| search | p50 ms | p95 ms |\n|:--|--:|--:|")
        measure(index, "newest first", "")
        measure(index, "newest first, 4 facets", "", facets=FACETS)
        measure(index, "a range of one parameter", "Parameter_007:40..41")
        measure(index, "a range, 4 facets", "Parameter_007:40..41", facets=FACETS)
        measure(index, "a word", "tooth", sort=Sort.RELEVANCE)
        measure(index, "a word and an instrument", "instrument:id11 tooth")
        index.close()


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


def measure(index: EmbeddedIndex, name: str, text: str, **asked: object) -> None:
    """Search many times, print one row."""
    query = resolve(parse_query(text), dict.fromkeys(NAMES, ""), {})
    request = SearchRequest(visibility=VisibilityFilter(sees_all=False, now=NOW), query=query, **asked)  # type: ignore[arg-type]
    spent = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        index.search(request)
        spent.append((time.perf_counter() - began) * 1e3)
    print(f"| {name} | {statistics.median(spent):.1f} | {statistics.quantiles(spent, n=20)[-1]:.1f} |")


if __name__ == "__main__":
    main()
