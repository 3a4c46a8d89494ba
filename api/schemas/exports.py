"""A dataset as a line of an export."""

from pydantic import Field

from api.schemas.base import Answer
from api.schemas.datasets import DatasetDescription


class ExportedValueSchema(Answer):
    """What a dataset has of a parameter, in the unit that was asked for: one of these, the others null or empty."""

    value: float | None
    low: float | None
    high: float | None
    values: list[float]
    texts: list[str]


class ExportedSchema(DatasetDescription):
    """A dataset with the parameters that were asked for, those that it has."""

    parameters: dict[str, ExportedValueSchema] = Field(default_factory=dict)
