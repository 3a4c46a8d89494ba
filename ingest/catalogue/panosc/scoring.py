"""Free words: which records they find, and with what score, strictly between 0 and 1.

Who merges the answers of several facilities sorts by score, and throws away what has none or one of 0 or 1; so records
that nobody asked words for have one as well, and all the same. Datasets are found by the index. A document is as good
as the best of its datasets, or as the words in its own texts; an instrument as the words in its names.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sqlalchemy import select

from ingest.catalogue.panosc.errors import InvalidFilterError
from ingest.catalogue.panosc.schema import MODELS
from ingest.catalogue.panosc.sources import PATHS, list_sources
from ingest.catalogue.search import DatasetIndex, Or, SearchRequest, Sort, Word
from ingest.catalogue.search.folding import to_tokens
from ingest.catalogue.visibility import ANONYMOUS, to_index_filter

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import FromClause

    from ingest.catalogue.panosc.conditions import Context
    from ingest.catalogue.panosc.selecting import Key
    from ingest.catalogue.search import Hit

UNASKED: Final = 0.5
"""The score of what is found without words."""
MAX_WORDS: Final = 32
_MIDDLE: Final = 10.0
"""What the index gives for this much is half of what there is to be had: one word in a dataset's name is 8."""
_OWN_WORD: Final = 4.0
"""For each word in a record's own texts, as the index has it for a title."""
_LEAST: Final = 1e-6
_PAGE: Final = 1000
_BATCH: Final = 500


def to_score(points: float) -> float:
    """Return the score of what the index gives so many points: rising, and strictly between 0 and 1."""
    return min(max(points / (points + _MIDDLE), _LEAST), 1 - _LEAST)


def to_words(text: str) -> list[str]:
    """Return the words that are looked for; raises InvalidFilterError for too many."""
    words = list(dict.fromkeys(to_tokens(text)))
    if len(words) > MAX_WORDS:
        raise InvalidFilterError(f"A query has at most {MAX_WORDS} words")
    return words


def find_scores(context: Context, index: DatasetIndex, model: str, words: list[str]) -> dict[Key, float]:
    """Return the score of each record that one of the words finds, by source and key."""
    if model == "Dataset":
        return {("dataset", hit.id): to_score(hit.score or 0.0) for hit in _search(context, index, words)}
    scores = _score_texts(context, model, words)
    if model == "Document":
        best = {hit.id: to_score(hit.score or 0.0) for hit in _search(context, index, words)}
        for key, dataset_id in _list_documents(context, list(best)):
            scores[key] = max(scores.get(key, 0.0), best[dataset_id])
    return scores


def _search(context: Context, index: DatasetIndex, words: list[str]) -> Iterator[Hit]:
    """Yield the datasets that have one of the words, the best first, as deep as one pages by relevance."""
    if not words:
        return
    query = Or(tuple(Word(word) for word in words)) if len(words) > 1 else Word(words[0])
    visibility = to_index_filter(ANONYMOUS, context.now)
    cursor: str | None = None
    while True:
        page = index.search(SearchRequest(visibility, query=query, sort=Sort.RELEVANCE, limit=_PAGE, cursor=cursor))
        yield from page.hits
        cursor = page.next_cursor
        if cursor is None:
            return


def _score_texts(context: Context, model: str, words: list[str]) -> dict[Key, float]:
    """Return the scores of those whose own texts have one of the words, read from the database's few of them."""
    scores: dict[Key, float] = {}
    wanted = set(words)
    for source in list_sources(model):
        rows = context.open(source)
        columns = [rows.c[name] for name in MODELS[model].text]
        for key, *texts in context.session.execute(select(rows.c.key, *columns)):
            found = wanted.intersection(*[{token for text in texts for token in to_tokens(text or "")}])
            if found:
                scores[source, key] = to_score(_OWN_WORD * len(found))
    return scores


def _list_documents(context: Context, dataset_ids: list[int]) -> Iterator[tuple[Key, int]]:
    """Yield the documents of the datasets."""
    for path in PATHS["Dataset", "documents"]:
        for start in range(0, len(dataset_ids), _BATCH):
            batch = dataset_ids[start : start + _BATCH]
            rows: FromClause = context.open("dataset")
            target = context.open(path.target)
            if path.link is None:
                tie = target.c[path.target_column] == rows.c[path.column]
                statement = select(target.c.key, rows.c.key).join_from(rows, target, tie)
            else:
                link = path.link.subquery()
                statement = (
                    select(target.c.key, rows.c.key)
                    .join_from(rows, link, link.c.parent == rows.c[path.column])
                    .join(target, target.c[path.target_column] == link.c.child)
                )
            for key, dataset_id in context.session.execute(statement.where(rows.c.key.in_(batch))):
                yield (path.target, key), dataset_id
