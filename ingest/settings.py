"""How masters are found and read: the one place of the pipeline that reads the environment."""

from __future__ import annotations

from enum import StrEnum

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


class WorkSettings(BaseSettings):
    """How often workers look by themselves, and where they show their figures."""

    model_config = SettingsConfigDict(env_prefix="NXCAT_", extra="ignore")

    sweep_seconds: float = Field(
        default=10, gt=0, description="The workers look this often for what is due and was not told of by a message."
    )
    crawl_seconds: float = Field(
        default=3600, gt=0, description="The workers crawl a root again when its last crawl ended this long ago."
    )
    release_seconds: float = Field(
        default=3600, gt=0, description="The workers look this often for data that open soon."
    )
    metrics_host: str = Field(default="127.0.0.1", description="Address at which a worker shows its figures.")
    metrics_port: int = Field(
        default=0, ge=0, le=65535, description="Port at which a worker shows its figures; 0: it does not."
    )


class LogFormat(StrEnum):
    """How lines of the log are written."""

    TEXT = "text"
    JSON = "json"


class LogSettings(BaseSettings):
    """The log of what runs for long."""

    model_config = SettingsConfigDict(env_prefix="NXCAT_", extra="ignore")

    log_format: LogFormat = Field(default=LogFormat.TEXT, description="Lines of the log: text, or json for programs.")


def to_limits(settings: IngestSettings) -> Limits:
    """Return the limits of a reader process."""
    return Limits(timeout_seconds=settings.read_timeout_seconds, memory_bytes=settings.read_memory_mb << 20)
