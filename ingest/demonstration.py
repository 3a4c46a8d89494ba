"""`nxcat demo`: a small facility is written, crawled, searched and served; a newcomer sees all of it at once."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import click

from api.settings import ApiSettings
from ingest import answers, commands
from ingest.samples.tree import write_samples
from ingest.server import AddressTakenError, listen, serve

if TYPE_CHECKING:
    from pathlib import Path

# The folders of the sample tree, each with its facility and the zone of its clocks.
ROOTS = {
    "visitor": ("ESRF", "Europe/Paris"),
    "inhouse": ("ESRF", "Europe/Paris"),
    "dls": ("Diamond", "Europe/London"),
    "isis": ("ISIS", "Europe/London"),
    "sinq": ("SINQ", "Europe/Zurich"),
    "sls": ("SLS", "Europe/Zurich"),
}
SEARCHES = (
    "LaB6",
    "energy:12..13 keV",
    "temperature:<100 K",
    "probe:neutron wavelength:1..3 angstrom",
    "instrument:id19 (tooth or amber)",
)
NOTHING_SAID = {
    "rules": None,
    "release": None,
    "embargoed_metadata": None,
    "secret": None,
    "include": (),
    "exclude": (),
}


def demonstrate(folder: Path, *, is_serving: bool) -> None:
    """Leave the folder with samples and a catalogue of them, what was done printed, and serve it if asked to."""
    samples = folder.absolute() / "samples"
    # The serving process and those beside it find the catalogue by the environment, as everywhere else.
    os.environ["NXCAT_DATA"] = str(folder.absolute() / "data")
    if not samples.exists():
        click.echo(f"Writing sample masters into {samples}")
        write_samples(samples)
    for name, (facility, zone) in ROOTS.items():
        click.echo(f"\n$ nxcat crawl {folder / 'samples' / name} --facility {facility} --timezone {zone}")
        commands.crawl((samples / name,), {**NOTHING_SAID, "facility": facility, "timezone": zone}, is_json=False)
    click.echo("\n$ nxcat status")
    answers.status(is_json=False)
    for query in SEARCHES:
        click.echo(f"\n$ nxcat search '{query}'")
        answers.search(query, {"limit": 5}, is_json=False)
    if is_serving:
        port = find_port()
        serve("127.0.0.1", port, on_ready=lambda: _print_what_next(folder, port))
    else:
        click.echo(f"\nServe it: NXCAT_DATA={folder / 'data'} nxcat serve")


def find_port() -> int:
    """Return the usual port, or a free one if another program has it."""
    usual = ApiSettings().port
    for port in (usual, 0):
        try:
            with listen("127.0.0.1", port) as listening:
                return int(listening.getsockname()[1])
        except AddressTakenError:
            continue
    return usual


def _print_what_next(folder: Path, port: int) -> None:
    address = f"http://127.0.0.1:{port}"
    # As it was called: it need not be on the path.
    nxcat = f"NXCAT_DATA={folder / 'data'} {sys.argv[0]}"
    click.echo(f"""
Served at {address} until Ctrl-C. What is not released yet, the API does not show. Try in another terminal:

  {address}/                              the search page
  {address}/docs                          the API's documentation, to try in a browser
  curl '{address}/api/v1/datasets?q=LaB6'
  curl -G '{address}/api/v1/datasets' --data-urlencode 'q=energy:12..13 keV' -d facets=instrument
  {nxcat} search 'title:ascan' --json
  {nxcat} show 1
  {sys.argv[0]} inspect YOUR_FILE.h5""")
