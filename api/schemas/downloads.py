"""Links to files and archives."""

from datetime import datetime
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field

from api.questions import Text
from api.schemas.base import Answer, PageSchema
from ingest.catalogue.link_keys import LONGEST_LIFE
from ingest.catalogue.paging import MAX_LIMIT

DEFAULT_SECONDS: Final = 15 * 60
LONGEST_SECONDS: Final = int(LONGEST_LIFE.total_seconds())

_SIGNED: Final = (
    "https://data.example.org/files/42/scan0001/eiger_0000.h5?expires=1795255200&subject=none&key=1&signature=Zm9v"
)


class LinksRequest(BaseModel):
    """Which files, and for how long."""

    model_config = ConfigDict(extra="forbid")

    files: Annotated[list[Text], Field(min_length=1, max_length=MAX_LIMIT)] | None = Field(
        default=None,
        description="Names of files, as the list of files has them; without them all files, page by page.",
        examples=[["scan0001/eiger_0000.h5"]],
    )
    expires_in: int = Field(
        default=DEFAULT_SECONDS, ge=1, le=LONGEST_SECONDS, description="Seconds that the links hold.", examples=[900]
    )


class FileLinkSchema(Answer):
    """A link to a file."""

    name: str = Field(description="Path relative to the dataset's folder.", examples=["scan0001/eiger_0000.h5"])
    file_size: int = Field(description="In bytes, when the catalogue last looked.", examples=[1048576])
    checksum: str | None = Field(examples=[None])
    address: str = Field(description="Where it is until it expires, for whoever has the link.", examples=[_SIGNED])


class LinkPageSchema(PageSchema):
    """A page of links."""

    items: list[FileLinkSchema]
    expires_at: datetime = Field(description="When these links end.", examples=["2026-11-21T15:00:00Z"])
    archive: str = Field(
        description="Where all files are as one ZIP archive, in the same way.",
        examples=[_SIGNED.replace("files/42/scan0001/eiger_0000.h5", "archives/42.zip")],
    )
