"""Which bytes of a file are asked for, and how several parts of it are told in one answer (RFC 9110, section 14)."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from ingest.catalogue.errors import CatalogueError

MAX_RANGES: Final = 100
"""More in one request are a broken client or an attack: it is answered the whole file (RFC 9110, 14.2)."""
MAX_GAP: Final = 200
"""Ranges so few bytes apart are sent as one: the head of a part is as long."""
_SPECIFIER: Final = re.compile(r"bytes=(.*)", re.IGNORECASE | re.DOTALL)
_RANGE: Final = re.compile(r"([0-9]*)-([0-9]*)")
_MOST_DIGITS: Final = 18
"""No file has a position of more."""


class RangeNotSatisfiableError(CatalogueError):
    """None of the ranges that are asked for lies within the file, which has `size` bytes."""

    def __init__(self, size: int) -> None:
        self.size = size
        super().__init__(f"no such range: there are {size} bytes")


class Span(NamedTuple):
    """Bytes from `start` up to but not including `stop`."""

    start: int
    stop: int

    @property
    def length(self) -> int:
        """How many they are."""
        return self.stop - self.start

    def to_content_range(self, size: int) -> str:
        """Return the value of Content-Range, the file having that many bytes."""
        return f"bytes {self.start}-{self.stop - 1}/{size}"


@dataclass(frozen=True, slots=True)
class Multipart:
    """The frame of a `multipart/byteranges` answer: what stands before each span, and at the end."""

    heads: tuple[bytes, ...]
    tail: bytes
    length: int
    """Of the whole answer, in bytes."""


def to_spans(header: str, size: int) -> tuple[Span, ...] | None:
    """Return the spans that the value of a Range header asks for, of a file of that many bytes.

    They do not overlap and stand in the order of the request; None: the header is to be ignored, since its unit is
    unknown or it is malformed. Raises RangeNotSatisfiableError if nothing that it asks for is there.
    """
    specifier = _SPECIFIER.fullmatch(header)
    texts = [text.strip(" \t") for text in specifier[1].split(",")] if specifier else []
    found = [_RANGE.fullmatch(text) for text in texts if text]
    if not 0 < len(found) <= MAX_RANGES:
        return None
    spans = []
    for match in found:
        span = None if match is None else _to_span(match[1], match[2], size)
        if span is None:
            return None
        spans.append(span)
    there = [span for span in spans if span.start < span.stop]
    if not there and size == 0 and any(_is_suffix(text) for text in texts):
        return None  # the last bytes of an empty file are all of it, and no Content-Range can say so
    if not there:
        raise RangeNotSatisfiableError(size)
    return _coalesce(there)


def to_multipart(spans: Sequence[Span], size: int, media_type: str, boundary: str) -> Multipart:
    """Return what stands around the spans of a file of that many bytes (RFC 9110, 14.6)."""
    heads: list[bytes] = []
    for span in spans:
        lead = "\r\n" if heads else ""
        fields = f"Content-Type: {media_type}\r\nContent-Range: {span.to_content_range(size)}\r\n"
        heads.append(f"{lead}--{boundary}\r\n{fields}\r\n".encode("ascii"))
    tail = f"\r\n--{boundary}--\r\n".encode("ascii")
    length = sum(map(len, heads)) + sum(span.length for span in spans) + len(tail)
    return Multipart(tuple(heads), tail, length)


def _to_span(first: str, last: str, size: int) -> Span | None:
    """Return the span, empty where nothing of it is there; None if it is malformed."""
    if first:
        start = _to_position(first)
        stop = _to_position(last) + 1 if last else size
        if last and stop <= start:
            return None
        return Span(min(start, size), min(stop, size))
    return Span(max(size - _to_position(last), 0), size) if last else None


def _is_suffix(text: str) -> bool:
    return text.startswith("-") and _to_position(text[1:]) > 0


def _to_position(digits: str) -> int:
    significant = digits.lstrip("0") or "0"
    return int(significant) if len(significant) <= _MOST_DIGITS else 10**_MOST_DIGITS


def _coalesce(spans: Sequence[Span]) -> tuple[Span, ...]:
    """Return the same bytes in spans that lie apart, in the order in which the first of each was asked for."""
    merged: list[tuple[int, Span]] = []
    for place, span in sorted(enumerate(spans), key=lambda item: item[1]):
        if merged and span.start <= merged[-1][1].stop + MAX_GAP:
            first, before = merged[-1]
            merged[-1] = min(first, place), Span(before.start, max(before.stop, span.stop))
        else:
            merged.append((place, span))
    return tuple(span for _, span in sorted(merged))
