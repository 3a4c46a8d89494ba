"""How masters are found and read: the one place of the pipeline that reads the environment."""

from __future__ import annotations

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from ingest.nexus.child import Limits


class IngestSettings(BaseSettings):
    """Waiting times and limits of the crawl and the reader."""

    model_config = SettingsConfigDict(env_prefix="NXCAT_", extra="ignore")

    settle_seconds: float = Field(default=60, ge=0, description="A file is read when it stood still for this long.")
    quiet_seconds: float = Field(
        default=600,
        ge=0,
        description="A dataset that nobody declared closed is complete when it stood still for this long.",
    )
    crash_seconds: float = Field(
        default=86_400,
        ge=0,
        description="A file that is marked as open for writing is taken for crashed when it stood still for this long.",
    )
    growing_seconds: float = Field(
        default=600, ge=0, description="A master that grows is read again at most this often."
    )
    max_failures: int = Field(default=3, ge=1, description="A file that failed this often is quarantined.")
    max_attempts: int = Field(
        default=10, ge=1, description="A file at which a worker was lost this often without a word is quarantined."
    )
    read_timeout_seconds: float = Field(
        default=30, gt=0, description="A reader that takes longer over one file is killed."
    )
    read_memory_mb: int = Field(default=1024, ge=256, description="A reader that wants more memory is refused it.")
    claim_seconds: float = Field(
        default=600, gt=0, description="A claim of another machine is taken over when it is this old."
    )


class ListenerSettings(BaseSettings):
    """The broker of the acquisition."""

    model_config = SettingsConfigDict(env_prefix="NXCAT_BROKER_", extra="ignore")

    url: str = Field(
        default="",
        description="Its STOMP address, such as stomp://user:password@mq.example.org:61613; none: no listener.",
    )
    queues: str = Field(default="icatIngest", description="Queues with messages about datasets, by commas.")
    reconnect_seconds: float = Field(default=5, gt=0, description="A broker that is away is asked again this often.")

    @property
    def names(self) -> list[str]:
        """The queues."""
        return [name for name in (part.strip() for part in self.queues.split(",")) if name]


def to_limits(settings: IngestSettings) -> Limits:
    """Return the limits of a reader process."""
    return Limits(timeout_seconds=settings.read_timeout_seconds, memory_bytes=settings.read_memory_mb << 20)
