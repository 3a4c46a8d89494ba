"""Byte ranges: what a header asks for, against a naive slice; and parts that a parser of mail takes apart again."""

from __future__ import annotations

from email.parser import BytesParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.ranges import MAX_GAP, MAX_RANGES, RangeNotSatisfiableError, Span, to_multipart, to_spans

CONTENT = bytes(range(256)) * 40
FAR = 2**64
positions = st.one_of(st.integers(0, 12_000), st.integers(0, FAR))
specs = st.one_of(
    st.tuples(positions, st.none()),
    st.tuples(st.none(), positions),
    st.tuples(positions, positions).map(lambda pair: (min(pair), max(pair))),
)
sizes = st.one_of(st.just(0), st.integers(0, len(CONTENT)))


def to_header(wanted: list[tuple[int | None, int | None]]) -> str:
    texts = [f"{'' if first is None else first}-{'' if last is None else last}" for first, last in wanted]
    return "bytes=" + ",".join(texts)


def slice_naively(wanted: list[tuple[int | None, int | None]], size: int) -> set[int]:
    """Return the positions that are asked for and there."""
    found: set[int] = set()
    for first, last in wanted:
        if first is None:
            assert last is not None
            found.update(range(max(size - last, 0), size))
        else:
            found.update(range(min(first, size), min(size if last is None else last + 1, size)))
    return found


@given(st.lists(specs, min_size=1, max_size=8), sizes)
def test_all_that_is_asked_for_is_answered_once_and_little_more(
    wanted: list[tuple[int | None, int | None]], size: int
) -> None:
    expected = slice_naively(wanted, size)
    try:
        spans = to_spans(to_header(wanted), size)
    except RangeNotSatisfiableError:
        assert not expected
        return
    if spans is None:
        assert size == 0
        return
    answered = [place for span in spans for place in range(*span)]
    assert len(answered) == len(set(answered)) <= size
    assert expected <= set(answered)
    # What nobody asked for fills small gaps only.
    assert len(set(answered) - expected) <= MAX_GAP * (len(wanted) - len(spans))
    assert all(0 <= span.start < span.stop <= size for span in spans)


@given(st.permutations([(1000 * n, 1000 * n + 500) for n in range(10)]), st.integers(1, 10))
def test_ranges_that_lie_apart_come_as_they_were_asked_for(wanted: list[tuple[int, int]], count: int) -> None:
    spans = to_spans(to_header(wanted[:count]), len(CONTENT))  # type: ignore[arg-type]
    assert spans == tuple((first, last + 1) for first, last in wanted[:count])


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("bytes=0-0", [(0, 1)]),
        ("bytes=5-", [(5, 10_000)]),
        ("bytes=-5", [(9_995, 10_000)]),
        ("bytes=-10001", [(0, 10_000)]),
        ("bytes=0-99999999999999999999999", [(0, 10_000)]),
        ("BYTES=1-2", [(1, 3)]),
        ("bytes=007-8", [(7, 9)]),
        ("bytes= 1-2 ,\t3000-3001", [(1, 3), (3000, 3002)]),
        ("bytes=,1-2,,", [(1, 3)]),
        ("bytes=5-6,20000-", [(5, 7)]),
        ("bytes=3000-3001,0-1", [(3000, 3002), (0, 2)]),
        ("bytes=0-9,5-20", [(0, 21)]),
        ("bytes=0-9,210-219", [(0, 220)]),
        ("bytes=0-9,211-219", [(0, 10), (211, 220)]),
        ("bytes=5000-5001,9000-9001,5001-5003", [(5000, 5004), (9000, 9002)]),
        ("bytes=" + ",".join(["0-"] * MAX_RANGES), [(0, 10_000)]),
        ("bytes=" + ",".join(["0-"] * (MAX_RANGES + 1)), None),
        ("bytes=0-0,-1" + ",1-" * 20_000, None),
        ("lines=1-2", None),
        ("bytes 1-2", None),
        ("bytes =1-2", None),
        ("bytes=", None),
        ("bytes=,", None),
        ("bytes=-", None),
        ("bytes=1", None),
        ("bytes=1 - 2", None),
        ("bytes=2-1", None),
        ("bytes=0-1,2-1", None),
        ("bytes=a-b", None),
        ("bytes=+1-2", None),
        ("bytes=1-2-3", None),
        ("bytes=0x1-2", None),
        ("bytes=\u00b2-3", None),
        ("bytes=1_0-20", None),
        ("", None),
        ("bytes=9e9-", None),
    ],
    ids=lambda value: str(value)[:40],
)
def test_header_is_understood_or_ignored(header: str, expected: list[tuple[int, int]] | None) -> None:
    assert to_spans(header, 10_000) == (None if expected is None else tuple(expected))


@pytest.mark.parametrize(
    "header", ["bytes=10000-", "bytes=10000-10001", "bytes=-0", "bytes=-0,99999-", f"bytes={'9' * 5000}-{'9' * 5000}"]
)
def test_nothing_of_it_is_there(header: str) -> None:
    with pytest.raises(RangeNotSatisfiableError) as caught:
        to_spans(header, 10_000)
    assert caught.value.size == 10_000


def test_empty_file_has_no_first_byte_but_its_last_ones_are_all_of_it() -> None:
    assert to_spans("bytes=-5", 0) is None
    for header in ("bytes=0-", "bytes=-0", "bytes=0-0"):
        with pytest.raises(RangeNotSatisfiableError):
            to_spans(header, 0)


@given(st.text(max_size=60), st.integers(0, 100))
def test_no_header_does_harm(text: str, size: int) -> None:
    for header in (text, f"bytes={text}"):
        try:
            spans = to_spans(header, size)
        except RangeNotSatisfiableError:
            continue
        assert spans is None or all(0 <= start < stop <= size for start, stop in spans)


@given(st.lists(specs, min_size=2, max_size=8))
def test_parts_are_read_back_by_a_parser_of_mail(wanted: list[tuple[int | None, int | None]]) -> None:
    size = len(CONTENT)
    try:
        spans = to_spans(to_header(wanted), size)
    except RangeNotSatisfiableError:
        return
    assert spans is not None
    frame = to_multipart(spans, size, "application/x-hdf5", "frontier")
    body = b"".join(head + CONTENT[slice(*span)] for head, span in zip(frame.heads, spans, strict=True)) + frame.tail
    assert frame.length == len(body)
    message = BytesParser().parsebytes(b"Content-Type: multipart/byteranges; boundary=frontier\r\n\r\n" + body)
    parts = message.get_payload()
    assert len(parts) == len(spans)
    for part, span in zip(parts, spans, strict=True):
        assert part.get_content_type() == "application/x-hdf5"
        assert part["Content-Range"] == f"bytes {span.start}-{span.stop - 1}/{size}"


def test_span_counts_its_last_byte() -> None:
    assert (Span(0, 10).length, Span(0, 10).to_content_range(10)) == (10, "bytes 0-9/10")
