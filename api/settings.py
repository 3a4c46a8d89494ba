"""How the API is served: the one place of this room that reads the environment."""

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class ApiSettings(BaseSettings):
    """Address to listen on, and how the service is reached from outside."""

    model_config = SettingsConfigDict(env_prefix="NXCAT_API_", extra="ignore")

    host: str = Field(default="127.0.0.1", description="Address to listen on; 0.0.0.0 for every network.")
    port: int = Field(default=8000, ge=1, le=65535, description="Port to listen on.")
    root_path: str = Field(
        default="",
        description="Path below which a proxy shows the service, such as /catalogue; the proxy strips it off.",
    )
    public_url: str = Field(
        default="",
        description="Address by which the world reaches the service, such as https://data.example.org/catalogue; "
        "by default the one of each request.",
    )
    trusted_proxies: str = Field(
        default="127.0.0.1",
        description="Addresses of proxies whose X-Forwarded-For and X-Forwarded-Proto are believed, by commas; "
        "* for every one.",
    )
    allowed_origins: str = Field(
        default="",
        description="Web pages elsewhere that may ask the API from a browser, by commas, such as "
        "https://portal.example.org; * for all.",
    )

    def list_allowed_origins(self) -> list[str]:
        """Return the origins one by one, as browsers write them: without a slash at the end."""
        return [origin for each in self.allowed_origins.split(",") if (origin := each.strip().rstrip("/"))]
