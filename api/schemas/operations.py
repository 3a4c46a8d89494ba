"""What the operator is told and says."""

from datetime import datetime
from typing import Annotated, Final, Literal

from fastapi import Body
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from api.questions import NO_NUL, refuse_nul
from api.schemas.base import Answer, PageSchema

MAX_PATHS: Final = 1000
MasterPath = Annotated[str, StringConstraints(min_length=1, max_length=4096), AfterValidator(refuse_nul), NO_NUL]


class RootSchema(Answer):
    """A folder whose masters are catalogued, with what was said about it."""

    path: str = Field(examples=["/data/visitor"])
    facility: str = Field(examples=["ESRF"])
    rules: str | None = Field(description="Rules by which it is read; null: those that fit each file.", examples=[None])
    timezone: str = Field(description="Zone of times that have none.", examples=["Europe/Paris"])
    release_policy: str = Field(description="immediately, never or years.", examples=["years"])
    release_years: int = Field(description="After how many years its data open.", examples=[3])
    is_embargoed_metadata_public: bool = Field(description="Metadata can be found before the data open.")
    is_secret: bool = Field(description="The existence of its data, too, is secret.")
    include: list[str] = Field(description="What names of masters look like.", examples=[["*_master.h5"]])
    exclude: list[str] = Field(description="What is passed over.", examples=[["PROCESSED_DATA"]])
    crawled_at: datetime | None = Field(
        description="When a crawl last came to its end.", examples=["2026-11-21T10:00:00Z"]
    )


class WaitingSchema(Answer):
    """Masters of one state and instrument that are to be looked at."""

    master_state: str = Field(examples=["ready"])
    instrument: str | None = Field(
        description="As far as its place or its notice tells before the file is read.", examples=["id11"]
    )
    due: int = Field(description="To be looked at now.", examples=[2])
    in_hand: int = Field(description="A worker has them.", examples=[1])
    later: int = Field(description="To be looked at later, by the clock.", examples=[0])


class LagSchema(Answer):
    """How long datasets took from being closed to being found, in the last hour; null: there were none."""

    count: int = Field(description="How many were looked at: the newest, at most 1000.", examples=[120])
    median_seconds: float | None = Field(examples=[4.2])
    p95_seconds: float | None = Field(examples=[11.8])


class BacklogSchema(Answer):
    """What waits, and how long things take. A figure of 100000 means that many or more."""

    waiting: list[WaitingSchema]
    notices: dict[str, int] = Field(description="Notices to be looked at, by state.", examples=[{"waiting": 1}])
    quarantined_count: int = Field(examples=[2])
    oldest_due_at: datetime | None = Field(
        description="Since when the oldest master or notice is due.", examples=["2026-11-21T10:00:00Z"]
    )
    unindexed_count: int = Field(examples=[0])
    revisions_behind: int = Field(description="Revisions that the search index does not know.", examples=[0])
    oldest_unindexed_at: datetime | None = Field(
        description="When the oldest dataset changed that the search index does not know as it is.", examples=[None]
    )
    searchable: LagSchema


class StatusSchema(Answer):
    """The whole catalogue in figures, whoever may see what."""

    dataset_count: int = Field(examples=[1250])
    unindexed_count: int = Field(description="Datasets that the search index does not know as they are.", examples=[0])
    waiting_count: int = Field(description="Masters that are to be looked at, now or later.", examples=[3])
    masters: dict[str, int] = Field(
        description="How many masters are in each state.", examples=[{"ingested": 1250, "quarantined": 2}]
    )
    quarantine: dict[str, int] = Field(
        description="How many masters could not be read for each reason.", examples=[{"not HDF5": 2}]
    )
    is_estimated: bool = Field(
        description="What is more than 100000 was not counted: the database's own estimate stands there.",
        examples=[False],
    )
    backlog: BacklogSchema
    roots: list[RootSchema]


class QuarantinedSchema(Answer):
    """A master that could not be read, and why."""

    path: str = Field(examples=["/data/visitor/hc6001/notes.h5"])
    reason: str | None = Field(examples=["not HDF5"])
    last_error: str | None = Field(description="What the reader said last.", examples=["NotHdf5Error: no signature"])
    failures: int = Field(description="How often reading it failed.", examples=[3])
    file_size: int = Field(description="In bytes, when it was last seen.", examples=[73400320])
    modified_at: datetime = Field(
        description="When it was put here, or last touched by us.", examples=["2026-11-01T11:00:00Z"]
    )


class QuarantinePageSchema(PageSchema):
    """A page of masters that could not be read."""

    items: list[QuarantinedSchema]


class RetrySome(BaseModel):
    """Try these masters again."""

    model_config = ConfigDict(extra="forbid")

    paths: Annotated[list[MasterPath], Field(min_length=1, max_length=MAX_PATHS)] = Field(
        description="As the quarantine lists them; those that are not there are passed over.",
        examples=[["/data/visitor/hc6001/notes.h5"]],
    )


class RetryAll(BaseModel):
    """Try every master of the quarantine again."""

    model_config = ConfigDict(extra="forbid")

    all: Literal[True] = Field(description="So that an empty order retries nothing.")


RetryOrder = Annotated[
    RetrySome | RetryAll,
    Body(
        description="Which masters are to be tried again.",
        openapi_examples={
            "some": {"summary": "Some, by their paths", "value": {"paths": ["/data/visitor/hc6001/notes.h5"]}},
            "all": {"summary": "All", "value": {"all": True}},
        },
    ),
]


class RetrySchema(Answer):
    """What was made of the order."""

    count: int = Field(description="How many masters are due now.", examples=[2])
