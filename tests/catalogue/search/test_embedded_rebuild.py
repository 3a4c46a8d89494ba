"""Generations of the embedded index: changed under its readers, killed half-way, damaged, and what is left of them."""

from __future__ import annotations

import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from contextlib import closing
from textwrap import dedent
from typing import TYPE_CHECKING

import pytest

from ingest.catalogue.document import NumericEntry, SearchDocument
from ingest.catalogue.search import (
    FacetRequest,
    IndexOutdatedError,
    IndexRebuildingError,
    Noun,
    SearchRequest,
    Sort,
    embedded,
    parse_query,
)
from ingest.catalogue.search.embedded import EmbeddedIndex
from ingest.catalogue.search.embedded_folder import (
    CURRENT,
    REBUILDING,
    find_generation,
    get_current,
    make_generation,
    write_name,
)
from ingest.catalogue.search.embedded_rebuild import EmbeddedRebuild

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ingest.catalogue.search import VisibilityFilter

KILLS = 12


def make(number: int, revision: int = 1) -> SearchDocument:
    return SearchDocument(
        number,
        revision,
        f"set_{number}",
        "ESRF",
        "hc1/2025",
        "hc1",
        samples=(f"round {revision}",),
        numbers=(NumericEntry("p", number, number),),
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "index"


@pytest.fixture
def index(folder: Path) -> Iterator[EmbeddedIndex]:
    with closing(EmbeddedIndex(folder)) as opened:
        yield opened


def rebuild(folder: Path, *documents: SearchDocument) -> None:
    with closing(EmbeddedRebuild(folder)) as begun:
        begun.write(documents)
        begun.finish(lambda: None)


def list_generations(folder: Path) -> list[Path]:
    return sorted(folder.glob("generation-*"))


def test_a_new_generation_leaves_nothing_of_the_old_one(folder: Path, index: EmbeddedIndex) -> None:
    index.write([make(1)])
    old = get_current(folder)
    rebuild(folder, make(2))
    assert get_current(folder) != old
    assert list_generations(folder) == [get_current(folder)]
    assert sorted(path.name for path in folder.iterdir() if path.is_file()) == [
        "current",
        "rebuild.lock",
        "writer.lock",
    ]


def test_an_open_searcher_needs_none_of_its_files(
    folder: Path, index: EmbeddedIndex, operator: VisibilityFilter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who began a search before the change ends it after: every kind of it, on files that are gone."""
    index.write(make(number) for number in range(1, 50))
    index.write(make(number) for number in range(50, 100))
    index.delete([99])
    reader = EmbeddedIndex(folder)
    generation = reader._follow()
    rebuild(folder, make(1000))
    assert not generation.folder.exists()
    monkeypatch.setattr(reader, "_follow", lambda: generation)
    for text, expected in (("", 98), ("set_7", 1), ('"round 1"', 98), ("set*", 98), ("sample:round", 98)):
        for sort in Sort:
            request = SearchRequest(operator, parse_query(text), facets=(FacetRequest(Noun.SAMPLE),), sort=sort)
            page = reader.search(request)
            assert page.total == expected
            assert [(value.value, value.count) for value in page.facets[Noun.SAMPLE].values] == [("round 1", expected)]
    assert len(reader.revisions(limit=1000)) == 98
    assert reader.revisions_of([5, 99]) == {5: 1}
    monkeypatch.undo()
    assert reader.revisions() == [(1000, 1)]


def test_who_reads_the_name_and_finds_its_files_gone_reads_it_again(
    folder: Path, index: EmbeddedIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    index.write([make(1)])
    old = get_current(folder)

    def change_then_return(asked: Path) -> Path:
        monkeypatch.undo()
        rebuild(asked, make(2))
        return old

    monkeypatch.setattr(embedded, "get_current", change_then_return)
    assert EmbeddedIndex(folder).revisions() == [(2, 1)]


def test_a_reader_whose_generation_was_changed_while_it_looks_follows(
    folder: Path, index: EmbeddedIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    index.write([make(1)])
    assert index.revisions() == [(1, 1)]
    old = get_current(folder)
    answers = [old]
    rebuild(folder, make(2))
    monkeypatch.setattr(embedded, "get_current", lambda asked: answers.pop() if answers else get_current(asked))
    assert index.revisions() == [(2, 1)]


def test_a_writer_waits_for_nobody_and_writes_to_what_is_current(folder: Path, index: EmbeddedIndex) -> None:
    index.write([make(1)])
    other = EmbeddedIndex(folder)
    for number in range(2, 6):
        rebuild(folder, make(number))
        other.write([make(100 + number)])
        assert index.revisions() == [(number, 1), (100 + number, 1)]


def test_who_finishes_waits_for_the_end_of_a_write(folder: Path, index: EmbeddedIndex) -> None:
    finished = threading.Event()
    begun = EmbeddedRebuild(folder)
    begun.write([make(1)])

    def finish() -> None:
        begun.finish(lambda: None)
        finished.set()

    waiting = threading.Thread(target=finish)

    def documents() -> Iterator[SearchDocument]:
        yield make(2)
        waiting.start()
        assert not finished.wait(0.3)

    index.write(documents())
    waiting.join()
    begun.close()
    assert index.revisions() == [(1, 1)]


@pytest.mark.parametrize("damage", ["gone", "unnamed", "nonsense", "astray", "emptied", "broken", "older"])
def test_a_rebuild_heals(folder: Path, operator: VisibilityFilter, damage: str) -> None:
    with closing(EmbeddedIndex(folder)) as index:
        index.write([make(1)])
    current = get_current(folder)
    match damage:
        case "gone":
            shutil.rmtree(folder)
        case "unnamed":
            (folder / CURRENT).unlink()
        case "nonsense":
            (folder / CURRENT).write_bytes(b"\xff\x00")
        case "astray":
            (folder / CURRENT).write_text("../../elsewhere\n")
        case "emptied":
            shutil.rmtree(current)
        case "broken":
            (current / "meta.json").write_text("{")
        case "older":
            (current / "layout-version").write_text("0\n")
    if damage != "gone":
        with pytest.raises(IndexOutdatedError, match="nxcat reindex"):
            EmbeddedIndex(folder)
    rebuild(folder, make(2))
    with closing(EmbeddedIndex(folder)) as index:
        assert index.search(SearchRequest(operator)).total == 1
        index.write([make(3)])
        assert index.revisions() == [(2, 1), (3, 1)]
    assert list_generations(folder) == [get_current(folder)]


def test_nobody_searches_a_lost_index_before_the_new_one_is_whole(folder: Path) -> None:
    begun = EmbeddedRebuild(folder)
    begun.write([make(1)])
    with pytest.raises(IndexOutdatedError, match="not built yet"):
        EmbeddedIndex(folder)
    begun.finish(lambda: None)
    begun.close()
    assert EmbeddedIndex(folder).revisions() == [(1, 1)]


def test_what_is_not_ours_is_left_alone(folder: Path) -> None:
    folder.mkdir()
    for name in ("thesis.txt", "meta.json"):
        (folder / name).write_text("years of work")
    (folder / "generation-of-mine").mkdir()
    rebuild(folder, make(1))
    assert EmbeddedIndex(folder).revisions() == [(1, 1)]
    assert {path.name for path in folder.iterdir()} > {"thesis.txt", "meta.json", "generation-of-mine"}


@pytest.mark.parametrize("damage", ["older", "broken", "emptied"])
def test_an_unfinished_one_that_cannot_be_used_is_begun_anew(folder: Path, index: EmbeddedIndex, damage: str) -> None:
    index.write([make(1)])
    with closing(EmbeddedRebuild(folder)) as begun:
        begun.write([make(2)])
    unfinished = find_generation(folder, REBUILDING)
    assert unfinished is not None
    match damage:
        case "older":
            (unfinished / "layout-version").write_text("0\n")
        case "broken":
            (unfinished / "meta.json").write_text("{")
        case "emptied":
            shutil.rmtree(unfinished)
    with closing(EmbeddedRebuild(folder)) as begun:
        assert begun.revisions() == []
        assert not unfinished.exists()
        begun.finish(lambda: None)
    assert index.revisions() == []


def test_the_current_one_is_never_filled_beside_itself(folder: Path, index: EmbeddedIndex) -> None:
    index.write([make(1)])
    write_name(folder / REBUILDING, get_current(folder))
    with closing(EmbeddedRebuild(folder)) as begun:
        assert begun.revisions() == []
        assert index.revisions() == [(1, 1)]


def test_what_killed_ones_left_is_removed(folder: Path, index: EmbeddedIndex) -> None:
    index.write([make(1)])
    left = make_generation(folder)
    EmbeddedRebuild(folder).close()
    assert not left.exists()
    assert index.revisions() == [(1, 1)]


def test_an_index_removed_while_it_is_rebuilt_is_said_to_be(folder: Path, index: EmbeddedIndex) -> None:
    index.write([make(1)])
    with closing(EmbeddedRebuild(folder)) as begun:
        begun.write([make(2)])
        (folder / REBUILDING).unlink()
        with pytest.raises(IndexOutdatedError, match="was removed while it was rebuilt"):
            begun.finish(lambda: None)
        shutil.rmtree(folder)
        with pytest.raises(IndexOutdatedError, match="nxcat reindex"):
            begun.write([make(3)])


def test_a_name_that_cannot_be_read_is_said_to_be(folder: Path, index: EmbeddedIndex) -> None:
    (folder / CURRENT).unlink()
    (folder / CURRENT).mkdir()
    with pytest.raises(IndexOutdatedError, match="cannot be read"):
        index.revisions()


@pytest.mark.parametrize("seed", range(KILLS))
def test_a_rebuild_killed_at_any_moment_leaves_one_whole_index(folder: Path, index: EmbeddedIndex, seed: int) -> None:
    """Either the old one with all it held or the new one, whole; and the next rebuild ends."""
    index.write(make(number) for number in range(1, 201))
    lines = """
        import sys
        from pathlib import Path
        from ingest.catalogue.document import SearchDocument
        from ingest.catalogue.search.embedded_rebuild import EmbeddedRebuild

        folder, revision = Path(sys.argv[1]), 2
        while True:
            rebuild = EmbeddedRebuild(folder)
            print(revision, flush=True)
            rebuild.delete(range(1, 201))
            for first in range(1, 201, 50):
                numbers = range(first, first + 50)
                rebuild.write(SearchDocument(n, revision, f"set {n}", "ESRF", "hc1", "hc1") for n in numbers)
            rebuild.finish(lambda: None)
            rebuild.close()
            revision += 1
        """
    command = [sys.executable, "-c", dedent(lines), str(folder)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    moment = random.Random(seed)  # noqa: S311 - a test's dice
    for _ in range(moment.randint(1, 4)):
        process.stdout.readline()
    time.sleep(moment.uniform(0, 0.3))
    process.send_signal(signal.SIGKILL)
    process.communicate()
    for opened in (index, EmbeddedIndex(folder)):
        revisions = {revision for _, revision in opened.revisions()}
        assert len(revisions) == 1
        assert len(opened.revisions()) == 200
    index.write([make(201)])
    with closing(EmbeddedRebuild(folder)) as begun:
        begun.delete(range(1, 202))
        begun.write([make(7)])
        begun.finish(lambda: None)
    assert index.revisions() == [(7, 1)]
    assert list_generations(folder) == [get_current(folder)]


def test_the_lock_of_a_rebuild_is_between_processes(folder: Path, index: EmbeddedIndex) -> None:
    index.write([make(1)])
    lines = """
        import sys
        from pathlib import Path
        from ingest.catalogue.search.embedded_rebuild import EmbeddedRebuild
        rebuild = EmbeddedRebuild(Path(sys.argv[1]))
        print("begun", flush=True)
        sys.stdin.readline()
        """
    command = [sys.executable, "-c", dedent(lines), str(folder)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "begun\n"
        with pytest.raises(IndexRebuildingError) as caught:
            EmbeddedRebuild(folder)
        assert caught.value.location == str(folder)
        index.write([make(2)])
    finally:
        process.kill()
        process.communicate()
    EmbeddedRebuild(folder).close()
