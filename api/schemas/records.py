"""The record: what was read of a master file. docs/record-format.md describes its groups and fields."""

from typing import Any

from pydantic import Field

from api.schemas.base import Answer


class LinkedFileSchema(Answer):
    """Another file that the master refers to."""

    path: str = Field(description="HDF5 path that refers to it.", examples=["/1.1/instrument/eiger/image"])
    kind: str = Field(description="external, virtual or storage.", examples=["virtual"])
    file: str | None = Field(
        default=None,
        description="Where it is in the dataset's folder. What lies elsewhere or is not released is not named.",
        examples=["scan0001/eiger_0000.h5"],
    )
    target: str | None = Field(default=None, description="HDF5 path in it.", examples=["/entry_0000/measurement/data"])


class RecordSchema(Answer):
    """What the reader saw; what has its default value is left out.

    A group has `path`, `nx_class`, `attributes`, `fields` and `groups`; a field has `name`, `dtype`, `shape`, `value`
    or its extremes, `unit` and `attributes`.
    """

    format: int = Field(description="Version of this form.", examples=[1])
    kind: str = Field(description="What the file is.", examples=["hdf5-nexus"])
    root: dict[str, Any] = Field(description="The root's own group.", examples=[{"path": "/", "nx_class": "NXroot"}])
    entries: list[dict[str, Any]] = Field(default=[], description="The groups of class NXentry, with all below them.")
    linked_files: list[LinkedFileSchema] = Field(default=[])
    truncated: dict[str, int] = Field(
        default={}, description="What was left out, by the cap that it met.", examples=[{"fields": 12}]
    )
    swmr: bool = Field(default=False, description="It was read while its writer had left it open.")
