"""The message that BLISS sends through pyicat-plus when a dataset is closed: XML, as ESRF's ICAT takes it.

Namespace http://www.esrf.fr/icat; a root `dataset` with investigation, instrument, name, location, startDate, endDate,
sample/name, and parameters of name and value.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final
from xml.etree.ElementTree import ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from ingest.catalogue.errors import CatalogueError
from ingest.catalogue.notices import ToldDataset

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

_NAMESPACE: Final = "{http://www.esrf.fr/icat}"
MAX_BYTES: Final = 4 << 20
"""The largest message that is looked at; one with every field of the vocabulary has 300 kB."""


class MessageError(CatalogueError):
    """A message is none that tells of a dataset; `problem` says why."""

    def __init__(self, problem: str) -> None:
        self.problem = problem
        super().__init__(f"not a message about a dataset: {problem}")


def to_told_dataset(body: bytes) -> ToldDataset:
    """Return what the message says; raises MessageError if it is not well-formed, hostile, or names no location."""
    root = _parse(body)
    if root.tag != f"{_NAMESPACE}dataset":
        raise MessageError(f"its root is {root.tag[:100]}")
    location = _find_text(root, "location")
    if location is None:
        raise MessageError("it names no location")
    names = [(_find_text(each, "name"), _find_text(each, "value")) for each in root.iter(f"{_NAMESPACE}parameter")]
    return ToldDataset(
        path=location,
        proposal=_find_text(root, "investigation"),
        instrument=_find_text(root, "instrument"),
        dataset_name=_find_text(root, "name"),
        sample_name=_find_text(root, f"sample/{_NAMESPACE}name"),
        start_date=_find_instant(root, "startDate"),
        end_date=_find_instant(root, "endDate"),
        parameters={name: value for name, value in names if name and value is not None},
    )


def _parse(body: bytes) -> Element:
    if len(body) > MAX_BYTES:
        raise MessageError(f"{len(body)} bytes are more than {MAX_BYTES}")
    try:
        root: Element = fromstring(body)
    except (ParseError, DefusedXmlException, ValueError) as error:
        raise MessageError(f"its XML cannot be read: {error}") from error
    return root


def _find_text(element: Element, name: str) -> str | None:
    found = element.findtext(f"{_NAMESPACE}{name}")
    return (found or "").strip() or None


def _find_instant(root: Element, name: str) -> datetime | None:
    """Return the time with its zone; one without a zone or of another form is left out: the file knows better."""
    text = _find_text(root, name)
    try:
        instant = datetime.fromisoformat(text) if text else None
        return instant.astimezone(UTC) if instant is not None and instant.tzinfo is not None else None
    except (ValueError, OverflowError):  # the first hours of year 1 have no UTC
        return None
