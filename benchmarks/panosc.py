"""PaNOSC's search API over a whole large facility's catalogue, asked over HTTP as the federated search asks it.

    PYTHONPATH=. python benchmarks/panosc.py [--datasets 500000] [--folder FOLDER]

The catalogue is that of `population.py`, in SQLite, and the index the embedded one. `nxcat serve` is asked one request
after the other, each kind ROUNDS times with other numbers in it, so that no answer is one that was just given.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from scale import fill, get, serving, timed, to_cells, write_catalogue

if TYPE_CHECKING:
    from collections.abc import Callable

    import urllib3

ROUNDS = 20
ENERGY = "photon_energy", "keV"
TEMPERATURE = "sample_temperature", "K"


def measured(of: tuple[str, str], low: float, high: float) -> dict[str, Any]:
    """Return the inclusion of a parameter between two values."""
    name, unit = of
    return {
        "relation": "parameters",
        "scope": {"where": {"and": [{"name": name}, {"value": {"between": [low, high]}}, {"unit": unit}]}},
    }


def called(relation: str, name: str) -> dict[str, Any]:
    """Return the inclusion of what is called so."""
    return {"relation": relation, "scope": {"where": {"name": name}}}


EVERYTHING = ["documents", "techniques", "instrument", "parameters", "samples", "files"]
LISTS: dict[str, tuple[str, Callable[[int], dict[str, Any]]]] = {
    "datasets": ("Datasets", lambda _: {}),
    "datasets, after 100,000 others": ("Datasets", lambda n: {"skip": 100_000 + n}),
    "datasets, newest first": ("Datasets", lambda n: {"order": "creationDate DESC", "skip": n}),
    "datasets of three days": (
        "Datasets",
        lambda n: {"where": {"creationDate": {"between": [f"2019-05-{n % 27 + 1:02}", f"2019-05-{n % 27 + 4:02}"]}}},
    ),
    "datasets with all that belongs to them": ("Datasets", lambda n: {"include": EVERYTHING, "skip": n}),
    "a text in the title": ("Datasets", lambda n: {"where": {"text": f"fasttomo samy {n % 10}"}}),
    "a text that no title has": ("Datasets", lambda n: {"where": {"text": f"nowhere {n}"}}),
    "an energy": ("Datasets", lambda n: {"include": [measured(ENERGY, 12 + n / 100, 12.5 + n / 100)]}),
    "an energy that is rare": ("Datasets", lambda n: {"include": [measured(ENERGY, 120 + n / 10, 120.5 + n / 10)]}),
    "an energy and a temperature": (
        "Datasets",
        lambda n: {"include": [measured(ENERGY, 8, 9 + n / 100), measured(TEMPERATURE, 0, 100)]},
    ),
    "a technique with the narrower ones": (
        "Datasets",
        lambda n: {"include": [called("techniques", "x-ray scattering")], "skip": n},
    ),
    "an instrument": ("Datasets", lambda n: {"include": [called("instrument", f"id{n % 30 + 1:02}")]}),
    "documents": ("Documents", lambda n: {"skip": n}),
    "documents by the energy of their datasets": (
        "Documents",
        lambda n: {
            "include": [
                {"relation": "datasets", "scope": {"include": [measured(ENERGY, 12, 12.5 + n / 100)], "limit": 5}}
            ]
        },
    ),
    "instruments": ("Instruments", lambda n: {"skip": n % 20}),
    "free words": ("Datasets", lambda n: {"query": f"hematite {n}"}),
}
OTHERS: dict[str, tuple[str, Callable[[int], dict[str, Any]]]] = {
    "how many datasets": ("Datasets/count", lambda _: {}),
    "how many datasets since a day": (
        "Datasets/count",
        lambda n: {"creationDate": {"gt": f"2020-01-{n % 30 + 1:02}"}},
    ),
}


def main() -> None:
    """Measure and print Markdown."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--datasets", type=int, default=500_000)
    parser.add_argument("--folder", type=Path, help="keeps the catalogue; one that is there is taken, with its index")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as passing:
        folder = arguments.folder or Path(passing)
        os.environ["NXCAT_DATA"] = str(folder)
        if not (folder / "catalogue.sqlite").exists():
            write_catalogue(folder, arguments.datasets)
            fill("the embedded index", arguments.datasets)
        print("\n| PaNOSC's search API, 20 records | p50 ms | p95 ms |\n|:--|--:|--:|")
        with serving() as client:
            measure_all(client)


def measure_all(client: urllib3.HTTPConnectionPool) -> None:
    """Print a row for each kind of request."""
    for name, (path, to_filter) in LISTS.items():
        show(name, [ask_for(client, path, {"filter": {"limit": 20, **to_filter(n)}}) for n in range(ROUNDS + 1)])
    for name, (path, to_where) in OTHERS.items():
        show(name, [ask_for(client, path, {"where": to_where(n)}) for n in range(ROUNDS + 1)])
    first = get(client, "/panosc/api/Datasets?" + urlencode({"filter": '{"limit": 100}'}))
    pids = [each["pid"] for each in first] * ROUNDS
    show("one dataset", [ask_for(client, f"Datasets/{pid}", {}) for pid in pids[: ROUNDS + 1]])
    show("the files of one", [ask_for(client, f"Datasets/{pid}/files", {}) for pid in pids[: ROUNDS + 1]])


def show(name: str, spent: list[float]) -> None:
    """Print a row; the first asking, for which much is read for the first time, does not count."""
    print(f"| {name} | {to_cells(spent[1:])} |", flush=True)


def ask_for(client: urllib3.HTTPConnectionPool, path: str, asked: dict[str, Any]) -> float:
    """Return the milliseconds of an asking."""
    written = {name: json.dumps(value) for name, value in asked.items()}
    return timed(partial(get, client, f"/panosc/api/{path}?{urlencode(written)}"))


if __name__ == "__main__":
    main()
