"""The command `nxcat`: settings, wiring and words; what it does stands in the modules it calls.

Exit status: 0 done, 1 it could not be done (the reason is on standard error), 2 the command was not understood.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from ingest.catalogue.errors import CatalogueError

F = TypeVar("F", bound=Callable[..., Any])


def as_json(command: F) -> F:
    """Add the option that prints one JSON document for scripts instead of words."""
    return click.option("--json", "is_json", is_flag=True, help="Print JSON, for scripts.")(command)


class _Group(click.Group):
    """Commands in the order of use; what the catalogue refuses is said in one line, with exit status 1."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the commands in the order in which they were written."""
        del ctx
        return list(self.commands)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except CatalogueError as error:
            raise click.ClickException(str(error)) from error
        except OSError as error:
            raise click.ClickException(f"{error.filename or 'input or output'}: {error.strerror}") from error


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="nxcat")
def main() -> None:
    """Catalogue the HDF5/NeXus master files of a facility, and search what they say.

    Start with `nxcat crawl FOLDER`, then `nxcat search WORDS`. The catalogue lies in ./nxcat-data, or in the folder
    that NXCAT_DATA names.
    """


@main.command()
@click.argument("roots", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="ROOT...")
@click.option("--facility", help="Facility that the files belong to. [new root: local]")
@click.option("--rules", help="Rule file to read the files by. [default: the one that fits each file]")
@click.option("--timezone", help="Zone of times that have none, such as Europe/Paris. [new root: UTC]")
@click.option(
    "--release",
    help="When data open to everyone: immediately, never, or a number of years after the visit. [new root: 3]",
)
@click.option(
    "--embargoed-metadata",
    type=click.Choice(["public", "closed"]),
    help="Whether metadata can be found before the data open. [new root: closed]",
)
@click.option("--secret/--not-secret", default=None, help="Whether even the existence of the data is secret.")
@click.option("--include", multiple=True, help="What names of masters look like: '*_master.h5'. [new root: HDF5 files]")
@click.option("--exclude", multiple=True, help="Folders or files to pass over, by name or path: PROCESSED_DATA.")
@as_json
def crawl(roots: tuple[Path, ...], is_json: bool, **settings: Any) -> None:
    """Find the master files below ROOT, read those that are new or changed, and index them.

    Files that may still be written are left for later. Crawling again is cheap: what did not change is not opened.
    What the options say is kept with the root and holds for all later crawls.
    """
    from ingest import commands

    commands.crawl(roots, settings, is_json=is_json)


@main.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="FILE...")
@as_json
def ingest(files: tuple[Path, ...], is_json: bool) -> None:
    """Read these master files now: you say that they are finished.

    They must lie in a root that was crawled before. Exit status 1 if one of them could not be read.
    """
    from ingest import commands

    sys.exit(commands.ingest(files, is_json=is_json))


@main.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--rules", help="Rule file to read it by. [default: the one that fits]")
@click.option("--timezone", default="UTC", show_default=True, help="Zone of times that have none.")
@as_json
def inspect(file: Path, rules: str | None, timezone: str, is_json: bool) -> None:
    """Tell what FILE is and what would be stored of it. Nothing is stored.

    Exit status 0 whenever it could be told what the file is, also `not HDF5`, `still open` or `damaged`.
    """
    from ingest import commands

    commands.inspect(file, rules, timezone, is_json=is_json)


@main.command()
@click.option("--dry-run", "is_dry", is_flag=True, help="Tell what would change, and write nothing.")
@click.option("--reread", "is_reread", is_flag=True, help="Read files again whose record lacks what the rules ask for.")
@as_json
def remap(is_dry: bool, is_reread: bool, is_json: bool) -> None:
    """Apply changed rules to what was read before, without opening a file.

    What the rules at hand have mapped already is passed over, so a second run does nothing. Exit status 1 if a dataset
    could not be mapped.
    """
    from ingest import remap_commands

    sys.exit(remap_commands.remap(is_dry=is_dry, is_reread=is_reread, is_json=is_json))


@main.group()
def rules() -> None:
    """Rule files: what is wrong with one, what it says in all, which of its rules gave a value."""


@rules.command("check")
@click.argument("file", type=click.Path(path_type=Path))
@as_json
def rules_check(file: Path, is_json: bool) -> None:
    """Check the rule file FILE, and tell each fault with its line, its key and what would do.

    Exit status 1 if there is one.
    """
    from ingest import rules_commands

    sys.exit(rules_commands.check(file, is_json=is_json))


@rules.command("show")
@click.argument("name", required=False)
@as_json
def rules_show(name: str | None, is_json: bool) -> None:
    """Show the rules NAME as they hold, all that they extend merged into them; without NAME, list those there are.

    NAME is that of a shipped rule file, or the path of one of your own.
    """
    from ingest import rules_commands

    rules_commands.show(name, is_json=is_json)


@rules.command("explain")
@click.argument("master")
@click.option(
    "--field", "fields", multiple=True, help="Tell of this field alone, and of all its places. May be given again."
)
@click.option("--rules", "by_rules", help="Rule file to read it by. [default: the one that fits, or its root's]")
@click.option("--timezone", default="UTC", show_default=True, help="Zone of times that have none, in a file.")
@as_json
def rules_explain(master: str, fields: tuple[str, ...], by_rules: str | None, timezone: str, is_json: bool) -> None:
    """Tell which rule took which value from which HDF5 path, and what was passed over and why.

    MASTER is a file, or the number of a dataset: then what was read of it before is asked, and no file is opened.
    Nothing is stored.
    """
    from ingest import rules_commands

    rules_commands.explain(master, by_rules, timezone, fields, is_json=is_json)


@rules.command("docs")
def rules_docs() -> None:
    """Write the table of all fields: name, meaning, unit and where each is looked for, in Markdown."""
    from ingest import rules_commands

    rules_commands.write_docs()


@main.command()
@click.argument("query", nargs=-1, metavar="QUERY")
@click.option("--facet", "facets", multiple=True, help="Count the values of a noun, such as instrument or technique.")
@click.option("--sort", help="newest, oldest, name or relevance. [default: relevance for words, else newest]")
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1, 1000), help="Hits on a page.")
@click.option("--cursor", help="Go on behind a page: the cursor that it ended with.")
@as_json
def search(query: tuple[str, ...], is_json: bool, **options: Any) -> None:
    """Search the datasets.

    QUERY is words, field:value, and ranges of parameters with units:

    \b
      nxcat search LaB6
      nxcat search 'instrument:id11 energy:12..13 keV'
      nxcat search '(tooth or bone) not temperature:<100 K'
    """  # noqa: D301 (\b is click's word for lines that stay)
    from ingest import answers

    answers.search(" ".join(query), options, is_json=is_json)


@main.command()
@click.argument("dataset", type=int)
@as_json
def show(dataset: int, is_json: bool) -> None:
    """Show a dataset: its scans, its parameters with units and HDF5 paths, its files."""
    from ingest import answers

    answers.show(dataset, is_json=is_json)


@main.command()
@click.argument("datasets", nargs=-1, type=int, metavar="DATASET...")
@click.option("--set", "assigned", multiple=True, metavar="NAME=VALUE", help="What is to be said: 'energy=12.4 keV'.")
@click.option("--remove", "removed", multiple=True, metavar="NAME", help="Of what nothing is to be said.")
@click.option("--undo", "undone", multiple=True, metavar="NAME", help="Of what the file is to be believed again.")
@click.option("--reason", help="Why: kept with it. In a file, for lines that have none.")
@click.option(
    "--from",
    "file",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="CSV with the columns dataset, field, value, unit, action, reason: a correction in each line.",
)
@click.option("--keep-going", "keeps_going", is_flag=True, help="Correct the rest where some cannot be.")
@as_json
def edit(
    datasets: tuple[int, ...],
    assigned: tuple[str, ...],
    removed: tuple[str, ...],
    undone: tuple[str, ...],
    is_json: bool,
    **said: Any,
) -> None:
    """Correct what is said of datasets: title, description, sample_name, sample_formula, or any parameter.

    What the file says is kept beside it, and who said otherwise, when and why. Reading a file again or other rules
    change nothing of it. What is said already is passed over, so a file that was interrupted is given again.
    Exit status 1 if something could not be corrected.

    \b
      nxcat edit 42 43 --set "sample_name=LaB6" --set "energy=12.4 keV" --reason "logbook of 3 November"
      nxcat edit --from corrections.csv --reason "sample list of the beamline"
    """  # noqa: D301 (\b is click's word for lines that stay)
    from ingest import edit_commands

    sys.exit(edit_commands.correct(datasets, assigned, removed, undone, said, is_json=is_json))


@main.command()
@as_json
def status(is_json: bool) -> None:
    """Show how many datasets there are, what waits, what failed and why."""
    from ingest import answers

    answers.status(is_json=is_json)


@main.command()
@click.argument("places", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="PLACE...")
@as_json
def notify(places: tuple[Path, ...], is_json: bool) -> None:
    """Tell that the datasets at PLACE are closed: folders or master files. Whoever works reads them soon.

    Exit status 1 if one of them lies outside of every root.
    """
    from ingest import notice_commands

    sys.exit(notice_commands.notify(places, is_json=is_json))


@main.command()
def listen() -> None:
    """Take in the messages of the acquisition's broker (NXCAT_BROKER_URL), until Ctrl-C."""
    from ingest import notice_commands

    notice_commands.listen()


@main.group()
def quarantine() -> None:
    """Files that could not be read, with the reason of each."""


@quarantine.command("list")
@as_json
def quarantine_list(is_json: bool) -> None:
    """List the files in quarantine."""
    from ingest import answers

    answers.list_quarantine(is_json=is_json)


@quarantine.command("retry")
@click.argument("files", nargs=-1, type=click.Path(path_type=Path), metavar="[FILE...]")
@as_json
def quarantine_retry(files: tuple[Path, ...], is_json: bool) -> None:
    """Try files in quarantine again: those given, or all."""
    from ingest import commands

    commands.retry_quarantine(files, is_json=is_json)


@main.group()
def token() -> None:
    """Tokens to the API: who carries one sees or does more than everybody."""


@token.command("create")
@click.argument("name")
@click.option(
    "--scope", "scopes", multiple=True, help="What it allows: read, edit, operate or notify; may be given again."
)
@click.option("--expires", help="Days (90d), its last day in UTC (2030-12-31), or never. [default: 90d]")
@as_json
def token_create(name: str, scopes: tuple[str, ...], expires: str | None, is_json: bool) -> None:
    """Give out a token for NAME, a person or a program. It is shown this once: only its digest is kept."""
    from ingest import token_commands

    token_commands.create(name, scopes, expires, is_json=is_json)


@token.command("list")
@as_json
def token_list(is_json: bool) -> None:
    """List the tokens that were given out, what each allows, and whether it still holds."""
    from ingest import token_commands

    token_commands.list_all(is_json=is_json)


@token.command("revoke")
@click.argument("token_id", type=int, metavar="ID")
@as_json
def token_revoke(token_id: int, is_json: bool) -> None:
    """Leave a token worthless from now on."""
    from ingest import token_commands

    token_commands.revoke(token_id, is_json=is_json)


@main.command()
@click.argument("datasets", nargs=-1, required=True, type=int, metavar="DATASET...")
@click.option("--title", required=True, help="What the data are, in one line.")
@click.option(
    "--creator",
    "creators",
    multiple=True,
    help="Who made the data: 'Family, Given; ORCID; Affiliation', of which the name must be there. Once for each.",
)
@click.option("--licence", required=True, help="Licence by its SPDX identifier, such as CC-BY-4.0.")
@click.option("--abstract", help="What was measured and why, for readers of the landing page.")
@as_json
def publish(datasets: tuple[int, ...], is_json: bool, **said: Any) -> None:
    """Publish released datasets under one DOI, and tell its landing page.

    Publishing the same datasets again tells the DOI that they have.

    \b
      nxcat publish 42 --title "LaB6 standard" --licence CC-BY-4.0 \\
          --creator "Example, Ada; 0000-0002-1825-0097; ESRF" --creator "Other, Bob"
    """  # noqa: D301 (\b is click's word for lines that stay)
    from ingest import publish_commands

    publish_commands.publish_datasets(datasets, is_json=is_json, **said)


@main.group("link-key")
def link_key() -> None:
    """Keys that links to files are signed with."""


@link_key.command("list")
@as_json
def link_key_list(is_json: bool) -> None:
    """List the keys by number and age: the newest signs, the others check what they signed. None is ever shown."""
    from ingest import link_key_commands

    link_key_commands.list_all(is_json=is_json)


@link_key.command("rotate")
@as_json
def link_key_rotate(is_json: bool) -> None:
    """Have a new key sign from now on, and delete those whose links have all expired.

    Links that were given out hold until they expire, a day at the most.
    """
    from ingest import link_key_commands

    link_key_commands.rotate(is_json=is_json)


@main.command()
@click.option("--host", help="Address to listen on. [default: NXCAT_API_HOST or 127.0.0.1]")
@click.option("--port", type=click.IntRange(1, 65535), help="Port to listen on. [default: NXCAT_API_PORT or 8000]")
def serve(host: str | None, port: int | None) -> None:
    """Serve the API and its documentation page, and work off what waits, until Ctrl-C."""
    from ingest import server

    server.serve(host, port)


@main.command()
@click.option("--queues", default="", help="What to work on, by commas: crawl, ingest, index, publish. [default: all]")
@click.option("--processes", type=click.IntRange(1, 1000), help="How many work at once. [default: one for each core]")
def worker(queues: str, processes: int | None) -> None:
    """Work off what waits, woken through Redis (NXCAT_QUEUE_URL), until Ctrl-C or SIGTERM.

    What is in hand is finished first. Any number of workers may run, on several machines.
    """
    from ingest import worker_commands

    sys.exit(worker_commands.work(queues, processes))


@main.command()
def beat() -> None:
    """Wake the workers from time to time (NXCAT_QUEUE_URL), until Ctrl-C or SIGTERM.

    One is enough; two do no harm.
    """
    from ingest import worker_commands

    worker_commands.beat()


@main.command()
@as_json
def verify(is_json: bool) -> None:
    """Prove that the search index holds what the database says, dataset by dataset.

    The catalogue may be in use meanwhile. Exit status 1 if they differ: what differs is listed.
    """
    from ingest import index_commands

    sys.exit(index_commands.verify(is_json=is_json))


@main.command()
@as_json
def reindex(is_json: bool) -> None:
    """Build the search index anew from the database, and put it in the place of the present one.

    The catalogue may be in use meanwhile; what is found does not change until the new index is whole. One that was
    interrupted is gone on with.
    """
    from ingest import index_commands

    index_commands.reindex(is_json=is_json)


@main.command()
def migrate() -> None:
    """Bring the database to the schema of this release. Other commands do so by themselves."""
    from ingest import commands

    commands.migrate()


@main.command()
@click.argument("folder", type=click.Path(path_type=Path), default=Path("nxcat-demo"))
@click.option("--serve/--no-serve", "is_serving", default=True, help="Serve the API at the end, until Ctrl-C.")
def demo(folder: Path, is_serving: bool) -> None:
    """Write sample masters into FOLDER, crawl them, search them and serve the API."""
    from ingest import demonstration

    demonstration.demonstrate(folder, is_serving=is_serving)
