"""A record as bytes and back: JSON of plain values, in which what has its default value is left out.

Left-out defaults make a record a third of its size and let later formats add fields. Equal records give equal bytes:
members, attributes and links are in order of their names, so a digest of the bytes tells whether content changed.
"""

from __future__ import annotations

import msgspec

from ingest.nexus.record import RECORD_FORMAT, FileKind, LinkKind, MasterRecord, Value


class RecordFormatError(Exception):
    """The bytes are no record of a format that this version knows; `found` is the format they claim, if any."""

    def __init__(self, found: int | None, reason: str) -> None:
        self.found = found
        super().__init__(f"record format {found}: {reason}" if found is not None else f"not a record: {reason}")


class _Field(msgspec.Struct, omit_defaults=True):
    name: str
    dtype: str
    shape: tuple[int, ...] = ()
    value: Value | None = None
    unit: str | None = None
    minimum: float | None = None
    maximum: float | None = None
    mean: float | None = None
    count: int | None = None
    first: float | None = None
    last: float | None = None
    chunks: tuple[int, ...] = ()
    filters: tuple[str, ...] = ()
    attributes: dict[str, Value] = {}
    tally: dict[str, int] = {}


class _Group(msgspec.Struct, omit_defaults=True):
    path: str
    nx_class: str = ""
    attributes: dict[str, Value] = {}
    fields: tuple[_Field, ...] = ()
    groups: tuple[_Group, ...] = ()


class _LinkedFile(msgspec.Struct, omit_defaults=True):
    path: str
    kind: LinkKind
    file: str
    target: str = ""
    other_entries: tuple[str, ...] = ()


class _MasterRecord(msgspec.Struct, omit_defaults=True):
    """The stored form of MasterRecord; a test holds the two together, field by field."""

    format: int
    kind: FileKind
    root: _Group
    entries: tuple[_Group, ...] = ()
    linked_files: tuple[_LinkedFile, ...] = ()
    truncated: dict[str, int] = {}
    swmr: bool = False


class _Head(msgspec.Struct):
    format: int


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(MasterRecord)
_head_decoder = msgspec.json.Decoder(_Head)


def encode_record(record: MasterRecord) -> bytes:
    """Return the record as JSON in UTF-8, uncompressed; equal records give equal bytes."""
    return _encoder.encode(msgspec.convert(record, _MasterRecord, from_attributes=True))


def decode_record(encoded: bytes) -> MasterRecord:
    """Return the record of `encode_record`'s bytes, also of an older format.

    Raises RecordFormatError for a newer format and for what is no record.
    """
    try:
        found = _head_decoder.decode(encoded).format
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise RecordFormatError(None, str(error)) from error
    if not 1 <= found <= RECORD_FORMAT:
        raise RecordFormatError(found, f"this version knows 1 to {RECORD_FORMAT}; it was written by a newer one")
    try:
        return _decoder.decode(encoded)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise RecordFormatError(found, str(error)) from error
