"""What a person corrects, and what has been corrected."""

from datetime import datetime
from typing import Annotated, Any, Final

from fastapi import Body
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StrictFloat,
    StrictInt,
    StringConstraints,
)

from api.questions import NO_NUL, refuse_nul
from api.schemas.base import Answer, PageSchema
from ingest.catalogue.correctables import LONGEST_LIST, LONGEST_TEXT
from ingest.catalogue.corrections import LONGEST_REASON, Change
from ingest.catalogue.model import CorrectionAction

MAX_CHANGES: Final = 100

FieldName = Annotated[str, StringConstraints(min_length=1, max_length=255), AfterValidator(refuse_nul), NO_NUL]
Text = Annotated[str, StringConstraints(min_length=1, max_length=LONGEST_TEXT), AfterValidator(refuse_nul), NO_NUL]
Reason = Annotated[str, StringConstraints(min_length=1, max_length=LONGEST_REASON), AfterValidator(refuse_nul), NO_NUL]
Number = StrictInt | Annotated[StrictFloat, Field(allow_inf_nan=False)]
Unit = Annotated[str, StringConstraints(min_length=1, max_length=60), AfterValidator(refuse_nul), NO_NUL]


class Amount(BaseModel):
    """A number, several of them, or a range as text, in a unit."""

    model_config = ConfigDict(extra="forbid")

    value: Number | Text | Annotated[list[Number], Field(min_length=1, max_length=LONGEST_LIST)] = Field(
        examples=[12.4]
    )
    unit: Unit | None = Field(default=None, examples=["keV"])


class CorrectionOrder(BaseModel):
    """What is to be said of the dataset from now on, and why. All of it is done, or nothing."""

    model_config = ConfigDict(extra="forbid")

    set: Annotated[dict[FieldName, Text | Number | Amount], Field(max_length=MAX_CHANGES)] = Field(
        default_factory=dict,
        description="What is to be shown: title, description, sample_name, sample_formula, or any parameter "
        "by its name or a short one.",
        examples=[{"sample_name": "LaB6", "energy": "12.4 keV"}],
    )
    remove: Annotated[list[FieldName], Field(max_length=MAX_CHANGES)] = Field(
        default_factory=list, description="Fields of which nothing is to be shown.", examples=[["flux"]]
    )
    undo: Annotated[list[FieldName], Field(max_length=MAX_CHANGES)] = Field(
        default_factory=list,
        description="Fields of which the file is believed again.",
        examples=[["title"]],
    )
    reason: Annotated[
        str, StringConstraints(min_length=1, max_length=LONGEST_REASON), AfterValidator(refuse_nul), NO_NUL
    ] = Field(description="Why: kept with it.", examples=["wrong sample loaded, see logbook of 3 November"])

    def to_changes(self) -> list[Change]:
        """Return the same in the catalogue's terms."""
        changes = [Change(CorrectionAction.SET, name, *_to_written(value)) for name, value in self.set.items()]
        changes += [Change(CorrectionAction.REMOVE, name) for name in self.remove]
        return changes + [Change(CorrectionAction.UNDO, name) for name in self.undo]


def _to_written(value: Any) -> tuple[str, str | None]:
    """Return a value as a person writes it, and its unit if that stands apart."""
    if isinstance(value, Amount):
        return _to_written(value.value)[0], value.unit
    return ", ".join(map(repr, value)) if isinstance(value, list) else str(value), None


CorrectionBody = Annotated[
    CorrectionOrder,
    Body(
        description="What is to be corrected.",
        openapi_examples={
            "set": {
                "summary": "Say otherwise",
                "value": {"set": {"sample_name": "LaB6", "energy": "12.4 keV"}, "reason": "logbook"},
            },
            "undo": {"summary": "Take it back", "value": {"undo": ["sample_name"], "reason": "it was right"}},
        },
    ),
]


class CorrectionSchema(Answer):
    """One correction of one field."""

    id: int = Field(examples=[7])
    field: str = Field(examples=["InstrumentBeam_incident_energy"])
    action: CorrectionAction = Field(description="set; remove: nothing is shown; undo: what the file says is shown.")
    value: dict[str, Any] | None = Field(
        description="What was set: text, instant, number, bottom and top, or values, with unit; and as it was written.",
        examples=[{"number": 12.4, "unit": "keV", "original": "12400", "original_unit": "eV"}],
    )
    former: dict[str, Any] | None = Field(
        description="What was shown before, and which layer said it.",
        examples=[{"number": 12.5, "unit": "keV", "layer": "file"}],
    )
    reason: str = Field(examples=["logbook"])
    author: str = Field(examples=["token 3: Ada, beamline"])
    made_at: datetime = Field(examples=["2026-11-01T11:00:00Z"])


class CorrectionPageSchema(PageSchema):
    """A page of corrections, the newest first."""

    items: list[CorrectionSchema]
