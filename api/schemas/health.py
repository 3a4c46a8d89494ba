"""What a watcher of the service is told."""

from pydantic import Field

from api.schemas.base import Answer


class LiveSchema(Answer):
    """The process answers."""

    status: str = Field(examples=["live"])


class ReadySchema(Answer):
    """Everything that requests need answers."""

    status: str = Field(examples=["ready"])
    checks: dict[str, bool] = Field(examples=[{"database": True, "schema": True, "index": True}])
