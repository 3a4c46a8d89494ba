"""What the facility says when a dataset is closed, and what it is answered."""

from datetime import UTC, datetime
from typing import Annotated, Final

from fastapi import Body
from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

from api.questions import NO_NUL, Absent, refuse_nul, to_pattern
from api.schemas.base import Answer, PageSchema
from ingest.catalogue.model import NoticeState
from ingest.catalogue.notices import ToldDataset

MAX_NOTICES: Final = 1000
MAX_PARAMETERS: Final = 2000
MAX_VALUE: Final = 65_536

Place = Annotated[
    str,
    StringConstraints(min_length=1, max_length=4096, pattern="^/"),
    AfterValidator(refuse_nul),
    to_pattern(r"/[^\u0000]*"),
]
Name = Annotated[str, StringConstraints(min_length=1, max_length=255), AfterValidator(refuse_nul), NO_NUL]
Value = Annotated[str, StringConstraints(max_length=MAX_VALUE), AfterValidator(refuse_nul), NO_NUL]


def _to_utc(moment: datetime) -> datetime:
    try:
        return moment.astimezone(UTC)
    except OverflowError as error:
        raise ValueError("in UTC this is no date: give one between the years 1 and 9999") from error


Moment = Annotated[AwareDatetime, AfterValidator(_to_utc)]


class NoticeOrder(BaseModel):
    """A dataset is closed. Only its place is needed; what else is said is stored beside what the file says."""

    model_config = ConfigDict(extra="forbid")

    path: Place = Field(
        description="Its folder or its master file, absolute.",
        examples=["/data/visitor/hc6001/id11/20261101/RAW_DATA/LaB6/LaB6_0001"],
    )
    proposal: Name | Absent = Field(default=None, examples=["hc6001"])
    instrument: Name | Absent = Field(default=None, examples=["id11"])
    dataset_name: Name | Absent = Field(default=None, examples=["0001"])
    sample_name: Name | Absent = Field(default=None, examples=["LaB6"])
    start_date: Moment | Absent = Field(default=None, examples=["2026-11-01T10:00:00Z"])
    end_date: Moment | Absent = Field(default=None, examples=["2026-11-01T10:20:00Z"])
    parameters: Annotated[dict[Name, Value], Field(max_length=MAX_PARAMETERS)] = Field(
        default_factory=dict,
        json_schema_extra={"additionalProperties": False},
        description="Values by ESRF's names, as texts, in the units of its vocabulary; several numbers with blanks.",
        examples=[{"InstrumentMonochromator_energy": "15.2"}],
    )

    def to_told(self) -> ToldDataset:
        """Return the same in the catalogue's terms."""
        return ToldDataset(**self.model_dump())


NoticeOrders = Annotated[
    NoticeOrder | Annotated[list[NoticeOrder], Field(min_length=1, max_length=MAX_NOTICES)],
    Body(
        description="One dataset, or a list of them.",
        openapi_examples={
            "one": {"summary": "One", "value": {"path": "/data/visitor/hc6001/id11/20261101/RAW_DATA/LaB6/LaB6_0001"}},
            "several": {"summary": "Several", "value": [{"path": "/data/a/a.h5"}, {"path": "/data/b/b.h5"}]},
        },
    ),
]


class NoticeLinks(Answer):
    """Where to look what became of it."""

    self: str = Field(examples=["/api/v1/notices/7"])
    dataset: str | None = Field(description="Its dataset, once there is one.", examples=["/api/v1/datasets/42"])


class NoticeSchema(Answer):
    """A dataset that was declared closed, and what became of it."""

    id: int = Field(examples=[7])
    path: str = Field(description="As it is stored: absolute, with no links in it.", examples=["/data/a/a.h5"])
    state: NoticeState = Field(
        description="announced: not looked at yet; waiting: no master found there yet; accepted: its master's state "
        "tells the rest; refused: outside of every root."
    )
    reason: str | None = Field(description="Why it waits, was refused or is incomplete.", examples=[None])
    source: str = Field(description="http, message or command.", examples=["http"])
    told_at: datetime = Field(description="When it was told first.", examples=["2026-11-01T10:21:00Z"])
    repeated_at: datetime = Field(description="When it was told last.", examples=["2026-11-01T10:21:00Z"])
    times_told: int = Field(examples=[1])
    next_attempt_at: datetime | None = Field(description="When it is looked at again.", examples=[None])
    master_state: str | None = Field(description="Where its master stands.", examples=["ingested"])
    dataset_id: int | None = Field(examples=[42])
    is_searchable: bool = Field(description="The search index knows the dataset as it is now.", examples=[True])
    links: NoticeLinks


class NoticesSchema(Answer):
    """What was made of the notices, in their order."""

    items: list[NoticeSchema]


class NoticePageSchema(PageSchema):
    """A page of notices."""

    items: list[NoticeSchema]
