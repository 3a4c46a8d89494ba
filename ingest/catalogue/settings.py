"""Where the catalogue lives: the one place of this room that reads the environment."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class CatalogueSettings(BaseSettings):
    """The data folder and the database."""

    model_config = SettingsConfigDict(env_prefix="NXCAT_", extra="ignore")

    data: Path = Field(
        default=Path("nxcat-data"),
        description="Folder with the SQLite file and the search index of the embedded set-up.",
    )
    database_url: str | None = Field(
        default=None, description="SQLAlchemy address of the database; by default the SQLite file in the data folder."
    )

    elasticsearch_url: str | None = Field(
        default=None,
        description="Address of Elasticsearch, with user and password if it asks for them; else the index is embedded.",
    )
    elasticsearch_index: str = Field(
        default="nxcat-datasets",
        pattern=r"^[a-z0-9][a-z0-9_.-]{0,99}$",
        description="Alias of the search index there; the indices behind it have names that begin like it.",
    )

    queue_url: str | None = Field(
        default=None,
        description="Address of the workers' Redis, as redis://:password@host:6379/0; else `serve` works by itself.",
    )

    doi_prefix: str = Field(
        default="10.5072",
        pattern=r"^10\.[0-9]{4,9}$",
        description="Prefix of new DOIs; 10.5072 is for tests and registered nowhere.",
    )

    @property
    def effective_database_url(self) -> str:
        """The address that is used."""
        return self.database_url or f"sqlite:///{self.data.absolute() / 'catalogue.sqlite'}"

    @property
    def index_folder(self) -> Path:
        """Where the embedded search index lies."""
        return self.data.absolute() / "index"
