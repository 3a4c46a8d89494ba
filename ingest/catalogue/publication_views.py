"""What a DOI leads to, as values: what its formats are made of. The words are DataCite's."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from ingest.catalogue.licences import Licence
    from ingest.catalogue.publication_request import Creator
    from ingest.catalogue.views import DatasetSummary

DOI_RESOLVER: Final = "https://doi.org/"
ORCID_REGISTRY: Final = "https://orcid.org/"
CREATOR: Final = "Creator"
"""The contributor type of those who made the data; ICAT keeps creators among the contributors."""


class PublicationKind(StrEnum):
    """DataCite's resourceTypeGeneral, as far as we publish it: one dataset, or several together."""

    DATASET = "Dataset"
    COLLECTION = "Collection"


class DateType(StrEnum):
    """DataCite's dateType, as far as it is told at publishing."""

    ISSUED = "Issued"
    AVAILABLE = "Available"
    COLLECTED = "Collected"


@dataclass(frozen=True, slots=True)
class Term:
    """What a publication is about: a word, or with an address a term of an ontology."""

    name: str
    scheme: str | None = None
    scheme_address: str | None = None
    address: str | None = None


@dataclass(frozen=True, slots=True)
class PublishedInstrument:
    """An instrument by its name, with what it is called in full if that is known."""

    name: str
    full_name: str | None = None

    @property
    def shown_name(self) -> str:
        """The full name where there is one."""
        return self.full_name or self.name


@dataclass(frozen=True, slots=True)
class Span:
    """A key parameter over all datasets: what people call it, from `bottom` to `top`, in `unit` (`1`: none)."""

    label: str
    unit: str
    bottom: float
    top: float

    @property
    def amount(self) -> str:
        """The value or the range with its unit, as a person reads it."""
        numbers = f"{self.bottom:.6g}" if self.bottom == self.top else f"{self.bottom:.6g} to {self.top:.6g}"
        return numbers if self.unit in ("", "1") else f"{numbers} {self.unit}"


@dataclass(frozen=True, slots=True)
class PublishedFile:
    """A file that may be opened, named relative to its dataset's folder; the size is in bytes."""

    dataset_id: int
    name: str
    file_size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DataView:
    """What is told of the data themselves: of those datasets only that the viewer may find.

    `datasets` and `files` are the first ones; the counts are of all. `files` and `open_dataset_ids` are of the
    datasets whose files the viewer may open. Sizes are in bytes.
    """

    datasets: tuple[DatasetSummary, ...] = ()
    dataset_count: int = 0
    file_count: int = 0
    file_size: int = 0
    open_file_count: int = 0
    open_file_size: int = 0
    files: tuple[PublishedFile, ...] = ()
    open_dataset_ids: tuple[int, ...] = ()
    samples: tuple[str, ...] = ()
    instruments: tuple[PublishedInstrument, ...] = ()
    techniques: tuple[str, ...] = ()
    spans: tuple[Span, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicationView:
    """A publication as its landing page shows it.

    `is_open` says whether everybody may open all files now, whoever looks; if not, `embargo_end` is when they may, None
    where nobody can say. `part_dois` are those of datasets in it that are published by themselves, too.
    """

    doi: str
    kind: PublicationKind
    title: str
    abstract: str | None
    creators: tuple[Creator, ...]
    publisher: str
    publisher_address: str | None
    publication_date: datetime
    licence: Licence
    dates: Mapping[DateType, str]
    terms: tuple[Term, ...]
    is_open: bool
    embargo_end: datetime | None
    part_dois: tuple[str, ...]
    data: DataView

    @property
    def doi_address(self) -> str:
        """Where the DOI is resolved: its one true address, wherever the landing page is."""
        return f"{DOI_RESOLVER}{self.doi}"


@dataclass(frozen=True, slots=True)
class PublicationSummary:
    """A publication as a list shows it."""

    doi: str
    kind: PublicationKind
    title: str
    publisher: str
    publication_date: datetime
    licence: str


@dataclass(frozen=True, slots=True)
class Download:
    """Where a file, or all files of a dataset in one archive, can be had; a size that is not known is None."""

    name: str
    address: str
    media_type: str
    file_size: int | None


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where things are, as the world reaches them: what the formats of a publication link to."""

    landing: str
    catalogue: str
    downloads: tuple[Download, ...] = ()
