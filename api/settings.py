"""How the API is served: the one place of this room that reads the environment."""

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class ApiSettings(BaseSettings):
    """Address to listen on, and the path that a proxy puts before ours."""

    model_config = SettingsConfigDict(env_prefix="NXCAT_API_", extra="ignore")

    host: str = Field(default="127.0.0.1", description="Address to listen on; 0.0.0.0 for every network.")
    port: int = Field(default=8000, ge=1, le=65535, description="Port to listen on.")
    root_path: str = Field(
        default="",
        description="Path below which a proxy shows the service, such as /catalogue; the proxy strips it off.",
    )
