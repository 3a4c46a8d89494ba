"""What is Elasticsearch's own: servers that are away, indices that are lost or another release's, killed rebuilds."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest
from elasticsearch import Elasticsearch

from facility.server import find_free_port
from ingest.catalogue.document import NumericEntry, SearchDocument, TextEntry
from ingest.catalogue.errors import InvalidQueryError, UnavailableError
from ingest.catalogue.search import (
    IndexBusyError,
    IndexOutdatedError,
    IndexRebuildingError,
    SearchRequest,
    VisibilityFilter,
    elastic_lease,
    parse_query,
)
from ingest.catalogue.search.elastic import ElasticIndex
from ingest.catalogue.search.elastic_layout import to_layout
from ingest.catalogue.search.elastic_rebuild import ElasticRebuild
from ingest.catalogue.search.folding import to_tokens

if TYPE_CHECKING:
    from collections.abc import Iterator


def make(number: int, revision: int = 1, **values: Any) -> SearchDocument:
    return SearchDocument(number, revision, f"set_{number}", "ESRF", "hc1/2025", "hc1", **values)


@pytest.fixture
def client(elasticsearch_server: str) -> Iterator[Elasticsearch]:
    with Elasticsearch(elasticsearch_server) as opened:
        yield opened


@pytest.fixture
def index(elasticsearch_server: str, elastic_alias: str) -> Iterator[ElasticIndex]:
    with closing(ElasticIndex(elasticsearch_server, elastic_alias)) as opened:
        yield opened


def begin(server: str, alias: str) -> closing[ElasticRebuild]:
    return closing(ElasticRebuild(server, alias))


def count(index: ElasticIndex, operator: VisibilityFilter, text: str) -> int:
    return index.search(SearchRequest(operator, parse_query(text))).total


def test_server_that_is_away_is_said_to_be_with_its_first_question() -> None:
    with closing(ElasticIndex(f"http://nxcat:secret@127.0.0.1:{find_free_port()}", "none")) as index:
        with pytest.raises(UnavailableError, match="the search engine does not answer") as raised:
            index.revisions()
        assert "secret" not in str(raised.value)


@pytest.mark.parametrize("layout", ["0", f"{to_layout()[:-8]}00000000"], ids=["version", "vocabulary"])
def test_index_of_another_layout_is_refused_and_rebuilt(
    client: Elasticsearch, elasticsearch_server: str, elastic_alias: str, layout: str
) -> None:
    mapping = {"_meta": {"layout": layout}}
    client.indices.create(index=f"{elastic_alias}-old", mappings=mapping, aliases={elastic_alias: {}})
    with closing(ElasticIndex(elasticsearch_server, elastic_alias)) as index:
        with pytest.raises(IndexOutdatedError, match=rf"layout {layout}.*nxcat reindex"):
            index.revisions()
        with begin(elasticsearch_server, elastic_alias) as rebuild:
            rebuild.write([make(1)])
            rebuild.finish(lambda: None)
        assert index.revisions() == [(1, 1)]
    assert not client.indices.exists(index=f"{elastic_alias}-old")


def test_unfinished_index_of_another_layout_is_begun_anew(
    client: Elasticsearch, elasticsearch_server: str, elastic_alias: str
) -> None:
    mapping = {"_meta": {"layout": 0}}
    client.indices.create(index=f"{elastic_alias}-old", mappings=mapping, aliases={f"{elastic_alias}-rebuild": {}})
    with begin(elasticsearch_server, elastic_alias) as rebuild:
        rebuild.write([make(1)])
        assert rebuild.revisions() == [(1, 1)]
    assert not client.indices.exists(index=f"{elastic_alias}-old")


def test_lost_index_is_said_to_be_and_rebuilt(
    client: Elasticsearch, index: ElasticIndex, elasticsearch_server: str, elastic_alias: str
) -> None:
    index.write([make(1)])
    client.indices.delete(index=f"{elastic_alias}-first")
    with pytest.raises(IndexOutdatedError, match=r"is gone.*nxcat reindex"):
        index.revisions()
    with pytest.raises(IndexOutdatedError, match="is gone"):
        index.write([make(2)])
    assert not client.indices.exists(index=elastic_alias)
    with begin(elasticsearch_server, elastic_alias) as rebuild:
        rebuild.write([make(3)])
        rebuild.finish(lambda: None)
    assert index.revisions() == [(3, 1)]


def test_writers_are_let_in_again_after_a_rebuild_was_killed(
    client: Elasticsearch, index: ElasticIndex, elasticsearch_server: str, elastic_alias: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    index.write([make(1)])
    killed = ElasticRebuild(elasticsearch_server, elastic_alias)
    client.indices.add_block(index=elastic_alias, block="write")
    with pytest.raises(IndexBusyError):
        index.write([make(2)])
    monkeypatch.setattr(elastic_lease, "LEASE_SECONDS", -1)
    killed.revisions()
    monkeypatch.undo()
    index.write([make(2)])
    assert index.revisions() == [(1, 1), (2, 1)]
    with pytest.raises(IndexRebuildingError):
        killed.finish(lambda: None)
    killed._client.close()


def test_who_begins_a_rebuild_lets_writers_in_whom_a_killed_one_kept_out(
    client: Elasticsearch, index: ElasticIndex, elasticsearch_server: str, elastic_alias: str
) -> None:
    index.write([make(1)])
    client.indices.add_block(index=elastic_alias, block="write")
    with begin(elasticsearch_server, elastic_alias):
        index.write([make(2)])
    assert index.revisions() == [(1, 1), (2, 1)]


def test_rebuild_that_slept_too_long_does_nothing_more(
    index: ElasticIndex, elasticsearch_server: str, elastic_alias: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    index.write([make(1)])
    monkeypatch.setattr(elastic_lease, "LEASE_SECONDS", -1)
    slept = ElasticRebuild(elasticsearch_server, elastic_alias)
    monkeypatch.undo()
    with begin(elasticsearch_server, elastic_alias) as other:
        for call in (lambda: slept.write([make(2)]), slept.revisions, lambda: slept.finish(lambda: None)):
            with pytest.raises(IndexRebuildingError):
                call()
        other.write([make(3)])
        assert other.revisions() == [(3, 1)]
    assert index.revisions() == [(1, 1)]
    slept._client.close()


def test_what_files_contain_adds_no_field(client: Elasticsearch, index: ElasticIndex, elastic_alias: str) -> None:
    index.revisions()
    before = client.indices.get_mapping(index=elastic_alias).body
    numbers = tuple(NumericEntry(f"number {n}.x", n, n) for n in range(2000))
    index.write([make(1, numbers=numbers, texts=tuple(TextEntry(f"text {n}", f"word{n}") for n in range(2000)))])
    assert client.indices.get_mapping(index=elastic_alias).body == before
    with pytest.raises(Exception, match="strict_dynamic_mapping"):
        client.index(index=elastic_alias, document={"unknown": 1})


def test_newest_lie_first(client: Elasticsearch, index: ElasticIndex, elastic_alias: str) -> None:
    index.write([make(1), make(2)])
    (kept,) = client.indices.segments(index=elastic_alias)["indices"].values()
    (segment,) = kept["shards"]["0"][0]["segments"].values()
    assert [(key["field"], key["reverse"]) for key in segment["sort"]] == [("newest", True)]


def test_long_and_foreign_words_are_found_by_their_beginnings(index: ElasticIndex, operator: VisibilityFilter) -> None:
    words = ("x" * 300, "日本語" * 30, "Straße", "été-2025", "µm", "a_b", "1.5e3", "ΔT")
    index.write([make(number, titles=(word,)) for number, word in enumerate(words, 1)])
    for number, word in enumerate(words, 1):
        found = index.search(SearchRequest(operator, parse_query(f'"{word}"')))
        assert [hit.id for hit in found.hits] == [number], word
        beginning = to_tokens(word)[0][:-1] or to_tokens(word)[0]
        page = index.search(SearchRequest(operator, parse_query(f"{beginning}*")))
        assert number in [hit.id for hit in page.hits], word


def test_phrase_with_too_many_endings_is_refused_and_a_word_is_not(
    index: ElasticIndex, operator: VisibilityFilter
) -> None:
    titles = tuple(f"iron a{number}" for number in range(20_000))
    index.write([make(1, titles=titles)])
    assert count(index, operator, "a*") == 1
    assert count(index, operator, "title:iron-a1999*") == 1
    with pytest.raises(InvalidQueryError, match="write more letters"):
        count(index, operator, "title:iron-a*")


def test_word_that_too_many_others_are_nearly_is_refused(index: ElasticIndex, operator: VisibilityFilter) -> None:
    letters = "abcdefghijklmnopqrstuvwxyz0123456789"
    changed = [f"hem{one}t{other}te {one}em{other}tite" for one in letters for other in letters]
    swaps = [f"h{one}ma{other}ite he{one}atit{other}" for one in letters for other in letters]
    more = [f"{one}hemat{other}ite hematite{one}{other}" for one in letters for other in letters]
    text = (" ".join([*changed, *swaps, *more]),)
    index.write([make(1, titles=text, samples=text, users=text, motors=text, detectors=text)])
    assert count(index, operator, "title:hematite~") == 1
    with pytest.raises(InvalidQueryError, match="leave the '~' out"):
        count(index, operator, "hematite~")


def test_several_first_users_make_one_index(
    client: Elasticsearch, elasticsearch_server: str, elastic_alias: str
) -> None:
    first, second = (ElasticIndex(elasticsearch_server, elastic_alias) for _ in range(2))
    with closing(first), closing(second):
        first.write([make(1)])
        second._is_known = False
        second.write([make(2)])
        assert first.revisions() == second.revisions() == [(1, 1), (2, 1)]
    assert list(client.indices.get_alias(name=elastic_alias).body) == [f"{elastic_alias}-first"]


def test_older_document_after_a_deletion_is_held(index: ElasticIndex) -> None:
    """The server remembers the revisions of deleted documents for a moment."""
    index.write([make(1, 9), make(2, 9)])
    index.delete([1, 7])
    index.write([make(1, 3), make(2, 3)])
    assert index.revisions() == [(1, 3), (2, 9)]


def test_call_that_cannot_be_made_changes_nothing(index: ElasticIndex) -> None:
    with pytest.raises(ValueError, match="ids up to"):
        index.write([make(1), make(2**30)])
    assert index.revisions() == []


def test_facet_values_of_any_text_are_counted(index: ElasticIndex, operator: VisibilityFilter) -> None:
    index.write([make(1, samples=("é" * 999,)), make(2, samples=("\U0001f9ea" * 1000,))])
    assert len(index.search(SearchRequest(operator)).hits) == 2
    assert count(index, operator, f"sample:{'é' * 999}") == 1
