"""`make facility`: the facility set-up on this machine, with sample masters that its workers ingest, until Ctrl-C."""

from __future__ import annotations

import signal
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from facility.setup import running
from ingest.demonstration import ROOTS, find_port
from ingest.samples.tree import write_samples

if TYPE_CHECKING:
    from facility.setup import Facility

_SUFFIXES: Final = {".h5", ".hdf5", ".nxs", ".hdf"}


@click.command()
@click.option("--serve/--no-serve", default=True, help="Serve until Ctrl-C; else end when all is ingested.")
@click.option("--broker", is_flag=True, help="With the message broker, and what listens to it.")
def main(*, serve: bool, broker: bool) -> None:
    """Start what docker-compose.yml names, ingest sample masters, and serve them."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with tempfile.TemporaryDirectory(prefix="nxcat-samples-") as folder:
        click.echo("Starting PostgreSQL, Elasticsearch, Redis and the services of docker-compose.yml")
        profiles = frozenset({"broker"}) if broker else frozenset[str]()
        try:
            with running(Path(folder), profiles=profiles, port=find_port()) as facility:
                ingest_samples(facility, Path(folder))
                if serve:
                    click.echo(f"\nServed at {facility.address} until Ctrl-C; {facility.address}/docs has the API.")
                    signal.pause()
        except KeyboardInterrupt:
            click.echo("\nEnded; nothing of it is left.")


def ingest_samples(facility: Facility, folder: Path) -> None:
    """Leave sample masters ingested by the workers, which learn of them by notices, and say what there is."""
    for name, (owner, zone) in ROOTS.items():
        (folder / name).mkdir()
        click.echo(f"$ nxcat crawl {name} --facility {owner} --timezone {zone}")
        facility.run("crawl", str(folder / name), "--facility", owner, "--timezone", zone)
    write_samples(folder)
    files = sorted(str(file) for file in folder.rglob("*") if file.suffix in _SUFFIXES)
    click.echo(f"$ nxcat notify ({len(files)} files)")
    facility.run("notify", *files)
    facility.wait_until_ingested(len(files))
    click.echo("\n$ nxcat status\n" + facility.run("status"))


if __name__ == "__main__":
    main()
