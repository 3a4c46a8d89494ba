"""The embedded index among several real processes, killed ones among them, and after damage."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import time
from contextlib import suppress
from textwrap import dedent
from threading import Thread
from typing import TYPE_CHECKING

import pytest
from tantivy import Query as Clause

from ingest.catalogue.document import NumericEntry, SearchDocument
from ingest.catalogue.errors import InvalidQueryError, UnavailableError
from ingest.catalogue.search import (
    FacetRequest,
    IndexBusyError,
    IndexOutdatedError,
    Noun,
    SearchRequest,
    embedded_generation,
    parse_query,
)
from ingest.catalogue.search.embedded import EmbeddedIndex
from ingest.catalogue.search.embedded_folder import get_current, open_generation
from ingest.catalogue.search.embedded_generation import engine_errors

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tantivy import Index

    from ingest.catalogue.search import VisibilityFilter

PRELUDE = """
import sys
from pathlib import Path
from ingest.catalogue.document import SearchDocument
from ingest.catalogue.search import IndexBusyError
from ingest.catalogue.search.embedded import EmbeddedIndex

def make(number, revision=1):
    return SearchDocument(number, revision, f"set {number}", "ESRF", "hc1", "hc1", samples=(f"round {revision}",))

folder = Path(sys.argv[1])
"""


def make(number: int, revision: int = 1, size: int = 1) -> SearchDocument:
    numbers = tuple(NumericEntry(f"p{position}", revision, revision) for position in range(size))
    return SearchDocument(number, revision, f"set {number}", "ESRF", "hc1", "hc1", numbers=numbers)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "index"


@pytest.fixture
def start(folder: Path) -> Iterator[Callable[[str], subprocess.Popen[str]]]:
    """Return what starts a process that runs the given lines."""
    started: list[subprocess.Popen[str]] = []

    def run(lines: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-c", PRELUDE + dedent(lines), str(folder)]
        started.append(subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True))
        return started[-1]

    yield run
    for process in started:
        process.kill()
        process.communicate()


def read_line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def tell(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    process.stdin.write("\n")
    process.stdin.flush()


def test_a_second_writer_is_told_at_once(
    folder: Path, start: Callable[[str], subprocess.Popen[str]], operator: VisibilityFilter
) -> None:
    index = EmbeddedIndex(folder)
    writer = start(
        """
        def documents():
            yield make(1)
            print("holding", flush=True)
            sys.stdin.readline()

        EmbeddedIndex(folder).write(documents())
        print("done", flush=True)
        sys.stdin.readline()
        """
    )
    assert read_line(writer) == "holding"
    with pytest.raises(IndexBusyError) as caught:
        index.write([make(2)])
    assert caught.value.location == str(folder)
    with pytest.raises(IndexBusyError):
        index.delete([2])
    assert index.search(SearchRequest(operator)).total == 0
    tell(writer)
    assert read_line(writer) == "done"
    assert index.search(SearchRequest(operator)).total == 1
    index.write([make(2)])
    assert index.revisions() == [(1, 1), (2, 1)]


def test_a_second_writer_in_the_same_process_is_told_at_once(folder: Path) -> None:
    index = EmbeddedIndex(folder)

    def documents() -> Iterator[SearchDocument]:
        yield make(1)
        with pytest.raises(IndexBusyError):
            index.write([make(2)])

    index.write(documents())
    assert index.revisions() == [(1, 1)]


def test_a_reader_sees_whole_commits_only(
    folder: Path, start: Callable[[str], subprocess.Popen[str]], operator: VisibilityFilter
) -> None:
    index = EmbeddedIndex(folder)
    index.write(make(number) for number in range(50))
    writer = start(
        """
        index = EmbeddedIndex(folder)
        for revision in range(2, 30):
            index.write(make(number, revision) for number in range(50))
            print(revision, flush=True)
        """
    )
    request = SearchRequest(operator, facets=(FacetRequest(Noun.SAMPLE),), limit=50)
    rounds = set()
    while writer.poll() is None:
        page = index.search(request)
        assert page.total == 50
        assert len({hit.revision for hit in page.hits}) == 1
        assert len(page.facets[Noun.SAMPLE].values) <= 1
        rounds.add(page.hits[0].revision)
    assert writer.returncode == 0
    assert len(rounds) > 2
    assert {revision for _, revision in index.revisions()} == {29}


def test_threads_search_while_another_writes(folder: Path, operator: VisibilityFilter) -> None:
    index = EmbeddedIndex(folder)
    index.write(make(number) for number in range(20))
    totals: set[int] = set()

    def search() -> None:
        for _ in range(100):
            totals.add(index.search(SearchRequest(operator, parse_query("set"))).total)

    threads = [Thread(target=search) for _ in range(4)]
    for thread in threads:
        thread.start()
    for revision in range(2, 12):
        index.write(make(number, revision) for number in range(20))
    for thread in threads:
        thread.join()
    assert totals == {20}


def test_several_processes_make_the_index_at_once(folder: Path, start: Callable[[str], subprocess.Popen[str]]) -> None:
    processes = [
        start(
            f"""
            print("ready", flush=True)
            sys.stdin.readline()
            index = EmbeddedIndex(folder)
            while True:
                try:
                    index.write([make({number})])
                    break
                except IndexBusyError:
                    continue
            """
        )
        for number in range(1, 7)
    ]
    for process in processes:
        assert read_line(process) == "ready"
    for process in processes:
        tell(process)
    assert [process.wait(60) for process in processes] == [0] * 6
    assert EmbeddedIndex(folder).revisions() == [(number, 1) for number in range(1, 7)]
    assert list(folder.parent.iterdir()) == [folder]


@pytest.mark.parametrize("seed", range(5))
def test_a_killed_writer_leaves_the_last_commit(
    folder: Path, start: Callable[[str], subprocess.Popen[str]], operator: VisibilityFilter, seed: int
) -> None:
    index = EmbeddedIndex(folder)
    index.write(make(number) for number in range(200))
    writer = start(
        """
        index = EmbeddedIndex(folder)
        for revision in range(2, 1000):
            def documents():
                for number in range(200):
                    yield make(number, revision)
                print(revision, flush=True)
            index.write(documents())
        """
    )
    lines, pause = random.Random(seed).randint(1, 6), random.Random(seed).random() * 0.03  # noqa: S311 - a test's dice
    for _ in range(lines):
        read_line(writer)
    with suppress(subprocess.TimeoutExpired):
        writer.wait(pause)
    writer.send_signal(signal.SIGKILL)
    writer.wait()
    for opened in (index, EmbeddedIndex(folder)):
        assert opened.search(SearchRequest(operator)).total == 200
        assert len({revision for _, revision in opened.revisions()}) == 1
    index.write([make(number, 5000) for number in range(200)])
    assert {revision for _, revision in EmbeddedIndex(folder).revisions()} == {5000}


def test_files_do_not_pile_up_when_two_write_in_turn(folder: Path) -> None:
    first, second = EmbeddedIndex(folder), EmbeddedIndex(folder)
    for number in range(40):
        first.write([make(number), make(100)])
        second.write([make(1000 + number)])
    generation = get_current(folder)
    meta = json.loads((generation / "meta.json").read_text())
    segments = {segment["segment_id"].replace("-", "") for segment in meta["segments"]}
    assert len(segments) < 10
    assert {path.stem for path in generation.glob("*.idx")} == segments


def test_a_panic_of_the_engine_is_an_error_of_ours(folder: Path) -> None:
    index = EmbeddedIndex(folder)
    with pytest.raises(UnavailableError, match="Limit must be greater than 0"), engine_errors():
        index._follow().index.searcher().search(Clause.all_query(), 0)
    assert index.revisions() == []


def test_another_layout_says_how_to_fill_it_again(folder: Path) -> None:
    EmbeddedIndex(folder).write([make(1)])
    (get_current(folder) / "layout-version").write_text("0\n")
    with pytest.raises(IndexOutdatedError, match=r"has layout 0.*nxcat reindex") as caught:
        EmbeddedIndex(folder)
    assert caught.value.location == str(folder)


def test_a_damaged_index_says_how_to_fill_it_again(folder: Path) -> None:
    EmbeddedIndex(folder).write([make(1)])
    (get_current(folder) / "meta.json").write_text("{")
    with pytest.raises(IndexOutdatedError, match="nxcat reindex"):
        EmbeddedIndex(folder)


def test_a_damaged_segment_says_how_to_fill_it_again(folder: Path) -> None:
    EmbeddedIndex(folder).write([make(1)])
    for path in get_current(folder).glob("*.term"):
        path.unlink()
    with pytest.raises(IndexOutdatedError, match="nxcat reindex"):
        EmbeddedIndex(folder)


def test_a_folder_of_something_else_is_left_alone(folder: Path) -> None:
    folder.mkdir()
    (folder / "thesis.txt").write_text("years of work")
    with pytest.raises(IndexOutdatedError, match="not built yet"):
        EmbeddedIndex(folder)
    assert [path.name for path in folder.iterdir()] == ["thesis.txt"]


def test_an_empty_folder_becomes_an_index(folder: Path) -> None:
    folder.mkdir()
    EmbeddedIndex(folder).write([make(1)])
    assert EmbeddedIndex(folder).revisions() == [(1, 1)]


def test_a_removed_index_is_made_anew_and_its_readers_follow(folder: Path, operator: VisibilityFilter) -> None:
    reader = EmbeddedIndex(folder)
    reader.write(make(number) for number in range(3))
    assert reader.search(SearchRequest(operator)).total == 3
    folder.rename(folder.with_name("old"))
    with pytest.raises(IndexOutdatedError, match="is gone"):
        reader.search(SearchRequest(operator))
    EmbeddedIndex(folder).write([make(9)])
    assert [hit.id for hit in reader.search(SearchRequest(operator)).hits] == [9]
    reader.write([make(10)])
    assert reader.revisions() == [(9, 1), (10, 1)]


def test_what_another_wrote_while_opening_is_seen(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = EmbeddedIndex(folder)

    def open_then_write(path: Path) -> Index:
        opened = open_generation(path)
        monkeypatch.undo()
        first.write([make(1)])
        return opened

    monkeypatch.setattr(embedded_generation, "open_generation", open_then_write)
    assert EmbeddedIndex(folder).revisions() == [(1, 1)]


def test_who_is_not_asked_leaves_the_folder_alone(folder: Path) -> None:
    """The engine would look for commits twice a second: who removes the folder would find a new file in it."""
    index = EmbeddedIndex(folder)
    opened = open_generation(get_current(folder))
    index.write([make(1)])
    time.sleep(1.2)
    assert opened.searcher().num_docs == 0
    opened.reload()
    assert opened.searcher().num_docs == 1


def test_too_many_endings_are_an_error(folder: Path, operator: VisibilityFilter) -> None:
    index = EmbeddedIndex(folder)
    users = tuple(f"20-run{number}" for number in range(17_000))
    index.write([SearchDocument(1, 1, "a", "ESRF", "hc1", "hc1", users=users)])
    assert index.search(SearchRequest(operator, parse_query("run*"))).total == 1
    assert index.search(SearchRequest(operator, parse_query("20-run1*"))).total == 1
    with pytest.raises(InvalidQueryError, match="write more letters"):
        index.search(SearchRequest(operator, parse_query("20-run*")))


def test_a_reader_whose_index_broke_says_so(folder: Path, operator: VisibilityFilter) -> None:
    index = EmbeddedIndex(folder)
    index.write([make(1)])
    assert index.search(SearchRequest(operator)).total == 1
    (get_current(folder) / "meta.json").write_text("{")
    with pytest.raises(IndexOutdatedError, match="nxcat reindex"):
        index.search(SearchRequest(operator))


@pytest.mark.parametrize(("size", "documents"), [(4096, 100), (100_000, 100_000)])
def test_a_full_disk_is_an_error_and_leaves_the_last_commit(
    folder: Path, start: Callable[[str], subprocess.Popen[str]], size: int, documents: int
) -> None:
    EmbeddedIndex(folder).write([make(1)])
    writer = start(
        f"""
        import resource
        from ingest.catalogue.errors import UnavailableError
        index = EmbeddedIndex(folder)
        resource.setrlimit(resource.RLIMIT_FSIZE, ({size}, resource.RLIM_INFINITY))
        try:
            index.write(make(number) for number in range({documents}))
        except UnavailableError as error:
            resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
            print(error, index.revisions(), flush=True)
            index.write([make(1, 2)])
        """
    )
    line = read_line(writer)
    assert "the search engine failed" in line
    assert line.endswith("[(1, 1)]")
    assert writer.wait(60) == 0
    assert EmbeddedIndex(folder).revisions() == [(1, 2)]


def test_an_id_beyond_the_sort_key_is_refused(folder: Path) -> None:
    with pytest.raises(ValueError, match="ids up to 1073741823"):
        EmbeddedIndex(folder).write([make(2**30)])
