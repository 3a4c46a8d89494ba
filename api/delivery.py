"""Answers that are files: whole, in parts, or not at all because who asks has them already."""

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from http import HTTPStatus
from secrets import token_hex
from typing import Final, Protocol
from urllib.parse import quote

from fastapi import Request, Response
from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from api.archives import Archive, Open, read_pieces, stream_archive
from api.preconditions import Validators, find_range, is_known
from api.ranges import Multipart, Span, to_multipart, to_spans
from ingest.catalogue.delivery import StoredFile
from ingest.catalogue.opening import OpenedFile
from ingest.catalogue.visibility import ANONYMOUS, Viewer

HDF5_TYPE: Final = "application/x-hdf5"
PLAIN_TYPE: Final = "application/octet-stream"
"""What a browser saves, and never shows or runs."""
ZIP_TYPE: Final = "application/zip"
_HDF5_NAMES: Final = (".h5", ".hdf5", ".hdf", ".nxs", ".nx5", ".nx", ".nxspe", ".cxi", ".he5")
_NOT_PLAIN: Final = re.compile(r"[^ !#-\[\]-~]|%")
_ATTRIBUTE: Final = "!#$&+-.^_`|~"
"""What stands unquoted in an extended value besides letters and digits (RFC 8187, 3.2.1)."""
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class Closable(Protocol):
    """Something that is open."""

    def close(self) -> None:
        """Leave it closed."""


class FileStream(StreamingResponse):
    """Sends pieces that are read in threads; closes where they come from at the end, also when the client is gone."""

    def __init__(self, pieces: Iterator[bytes], source: Closable, status: HTTPStatus, headers: dict[str, str]) -> None:
        super().__init__(pieces, status, headers)
        self._source = source

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the answer."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._source.close()


def answer_file(request: Request, viewer: Viewer, now: datetime, stored: StoredFile, opened: OpenedFile) -> Response:
    """Return the answer to a request for a file, which is closed when it was sent, or at once where nothing is.

    Raises PreconditionFailedError and RangeNotSatisfiableError.
    """
    try:
        validators = Validators(to_file_tag(stored, opened), to_last_modified(opened.mtime_ns, now), now)
        headers = to_common_headers(viewer, validators) | {
            "Accept-Ranges": "bytes",
            "Content-Disposition": to_disposition(stored.name.rpartition("/")[2]),
        }
        if is_known(request.headers, validators):
            answer = Response(status_code=HTTPStatus.NOT_MODIFIED, headers=to_common_headers(viewer, validators))
        else:
            answer = _answer_content(request, validators, headers, to_media_type(stored.name), opened)
    except BaseException:
        opened.close()
        raise
    if not isinstance(answer, FileStream):
        opened.close()
    return answer


def answer_archive(request: Request, viewer: Viewer, now: datetime, archive: Archive, open_file: Open) -> Response:
    """Return the answer to a request for an archive, whose files are opened so. Raises PreconditionFailedError."""
    validators = Validators(archive.etag, None, now)
    headers = to_common_headers(viewer, validators)
    if is_known(request.headers, validators):
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
    headers |= {
        "Accept-Ranges": "none",
        "Content-Disposition": to_disposition(f"{archive.folder}.zip"),
        "Content-Type": ZIP_TYPE,
        "Content-Length": str(archive.length),
    }
    if request.method == "HEAD":
        return Response(headers=headers)
    pieces = stream_archive(archive, open_file)
    return FileStream(pieces, pieces, HTTPStatus.OK, headers)


def _answer_content(
    request: Request, validators: Validators, headers: dict[str, str], media_type: str, opened: OpenedFile
) -> Response:
    size, whole = opened.size, Span(0, opened.size)
    if request.method == "HEAD":
        return Response(headers=headers | {"Content-Type": media_type, "Content-Length": str(size)})
    asked = find_range(request.headers, validators)
    spans = None if asked is None else to_spans(asked, size)
    status = HTTPStatus.OK if spans is None else HTTPStatus.PARTIAL_CONTENT
    if spans is not None and len(spans) > 1:
        boundary = token_hex(16)
        frame = to_multipart(spans, size, media_type, boundary)
        media_type, length = f"multipart/byteranges; boundary={boundary}", frame.length
        pieces = _stream_parts(opened, spans, frame)
    else:
        span = whole if spans is None else spans[0]
        if spans is not None:
            headers = headers | {"Content-Range": span.to_content_range(size)}
        length, pieces = span.length, _stream_span(opened, span)
    return FileStream(pieces, opened, status, headers | {"Content-Type": media_type, "Content-Length": str(length)})


def _stream_parts(opened: OpenedFile, spans: Sequence[Span], frame: Multipart) -> Iterator[bytes]:
    for head, span in zip(frame.heads, spans, strict=True):
        yield head
        yield from _stream_span(opened, span)
    yield frame.tail


def _stream_span(opened: OpenedFile, span: Span) -> Iterator[bytes]:
    """Yield the bytes; raises FileChangedError instead of the last ones if the file changed meanwhile.

    The answer then ends before the length that it promised: nobody takes it for whole.
    """
    waiting = b""
    for piece in read_pieces(opened, *span):
        if waiting:
            yield waiting
        waiting = piece
    opened.check_unchanged()
    yield waiting


def to_common_headers(viewer: Viewer, validators: Validators) -> dict[str, str]:
    """Return what stands also in a 304. A cache may keep the answer, but asks each time: data may be closed again."""
    private = "" if viewer == ANONYMOUS else "private, "
    return validators.to_headers() | {"Cache-Control": f"{private}no-cache"}


def to_file_tag(stored: StoredFile, opened: OpenedFile) -> str:
    """Return the strong entity tag: of the checksum, if it is of this state of the file, else of its stat."""
    if stored.checksum and stored.describes(opened):
        state = stored.checksum
    else:
        state = f"{opened.size} {opened.mtime_ns} {opened.inode}"
    return f'"{blake2b(state.encode(), digest_size=16).hexdigest()}"'


def to_last_modified(mtime_ns: int, now: datetime) -> datetime | None:
    """Return the second of the last change; None for a time to come, which may not be told (RFC 9110, 8.8.2.1)."""
    seconds = mtime_ns // 10**9
    return _EPOCH + timedelta(seconds=seconds) if 0 <= seconds <= now.timestamp() else None


def to_media_type(name: str) -> str:
    """Return what kind of file it is, by its name."""
    return HDF5_TYPE if name.lower().endswith(_HDF5_NAMES) else PLAIN_TYPE


def to_disposition(name: str) -> str:
    """Return the header that has a browser save the file under its name, whatever that is (RFC 6266, RFC 8187).

    First for who knows ASCII alone, the rest replaced; a percent sign, too, which some would decode.
    """
    plain = _NOT_PLAIN.sub("_", name)
    extended = quote(name, safe=_ATTRIBUTE, errors="replace")
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{extended}"
