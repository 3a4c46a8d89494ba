"""What ICAT+ answers to the acquisition, in its own words and letters; only what its client reads."""

from datetime import datetime

from pydantic import ConfigDict, Field
from pydantic.alias_generators import to_camel

from api.schemas.base import Answer


class IcatAnswer(Answer):
    """An answer in camelCase, as ICAT+ gives it; what is not known is left out."""

    model_config = ConfigDict(from_attributes=True, alias_generator=to_camel, populate_by_name=True)


class IcatInstrument(IcatAnswer):
    """An instrument."""

    id: int = Field(examples=[3])
    name: str = Field(examples=["id11"])


class IcatInvestigation(IcatAnswer):
    """A proposal's time at an instrument."""

    id: int = Field(examples=[12])
    name: str = Field(description="The proposal.", examples=["hc6001"])
    visit_id: str | None = Field(default=None, examples=["20261101"])
    title: str | None = Field(default=None, examples=["Strain in bearing steel"])
    summary: str | None = None
    doi: str | None = None
    start_date: datetime = Field(examples=["2026-11-01T10:00:00Z"])
    end_date: datetime | None = Field(default=None, examples=["2026-11-03T08:00:00Z"])
    release_date: datetime | None = Field(default=None, examples=["2029-11-03T08:00:00Z"])
    instrument: IcatInstrument


class IcatParameter(IcatAnswer):
    """A value of a dataset, as text."""

    id: int = Field(examples=[0])
    name: str = Field(examples=["__fileCount"])
    value: str = Field(examples=["387"])


class IcatInvestigationKey(IcatAnswer):
    """The investigation of a dataset."""

    id: int = Field(examples=[12])


class IcatDataset(IcatAnswer):
    """A dataset that arrived."""

    id: int = Field(examples=[42])
    name: str = Field(examples=["LaB6_0001"])
    location: str = Field(examples=["/data/visitor/hc6001/id11/20261101/RAW_DATA/LaB6/LaB6_0001"])
    start_date: datetime | None = Field(default=None, examples=["2026-11-01T10:00:00Z"])
    end_date: datetime | None = Field(default=None, examples=["2026-11-01T10:20:00Z"])
    investigation: IcatInvestigationKey
    parameters: list[IcatParameter]
