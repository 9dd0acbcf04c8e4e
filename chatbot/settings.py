"""Deployment settings, read once from the environment (``FRONTDESK_*``) and ``.env``.

Each setting has its default and its help here and nowhere else; ``tests/test_settings.py`` holds docs/settings.md
against this table. What an admin changes while the service runs (thresholds, mode, hours) is no deployment
setting: it lives with the site in the database.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Literal

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="FRONTDESK_", env_file=".env", extra="ignore")

    data: Path = Field(
        Path("var"), description="Folder for the database, releases, indexes, uploads and secrets."
    )
    database_url: str = Field(
        "", description="SQLAlchemy URL of the conversation database; empty: SQLite in the data folder."
    )
    queue_url: str = Field(
        "",
        description="Where queued jobs are announced: empty: SQLite in the data folder; redis://… for Redis.",
    )
    limits_url: str = Field("memory://", description="Storage of rate limits: memory:// or redis://….")
    live_url: str = Field(
        "memory://",
        description="How processes hear at once of each other's messages: redis://…; memory://: each looks into "
        "the database every 0.7 s.",
    )
    host: str = Field("127.0.0.1", description="Address the web server listens on.")
    port: int = Field(
        5000, validation_alias="PORT", ge=0, le=65535, description="Port of the web server (PORT)."
    )
    web_threads: int = Field(16, ge=1, le=512, description="Threads of one web process.")
    web_processes: int = Field(1, ge=1, le=64, description="Web processes behind one port.")
    inference_threads: int = Field(1, ge=1, description="Threads one model session may use for one message.")
    training_threads: int = Field(0, ge=0, description="Threads training may use; 0: all cores.")
    training_processes: int = Field(
        1, ge=1, le=64, description="Processes that train together, one for each GPU; 1: one process."
    )
    training_budget: int = Field(
        600,
        ge=0,
        description="Seconds one retraining may take; its training is shortened to end in time. 0: no limit.",
    )
    retrain_after: int = Field(
        0,
        ge=0,
        description="The worker retrains when so many examples are new or corrected; 0: only when asked.",
    )
    gate_margin: float = Field(
        1.0, ge=0, le=20, description="Points that a new release may be worse by without proof of a loss."
    )
    transcripts_secret: str = Field(
        "",
        description="Secret that signs finished conversations sent to /api/v1/transcripts, at least 32 characters; "
        "empty: none are taken.",
    )
    device: Literal["auto", "cpu", "cuda"] = Field("auto", description="Where models are trained.")
    encoder: str = Field(
        "packaged",
        description="Sentence encoder of the search: packaged (MiniLM for English, e5 for Chinese), domain, or a "
        "model's name or path.",
    )
    upload_limit_mb: int = Field(200, ge=1, description="Largest accepted upload, in MiB.")
    message_limit: int = Field(5000, ge=1, description="Longest accepted customer message, in characters.")
    chat_rate: str = Field("30 per minute", description="Messages one visitor may send.")
    signin_rate: str = Field("5 per minute", description="Sign-in attempts from one address.")
    retention_days: int = Field(0, ge=0, description="Conversations older than this are erased; 0: kept.")
    log_level: str = Field("INFO", description="Level of the log: DEBUG, INFO, WARNING or ERROR.")
    log_format: Literal["auto", "json", "text"] = Field(
        "auto", description="Form of the log: json, text, or auto: text on a terminal, else json."
    )
    metrics_token: str = Field(
        "",
        description="Secret that opens /metrics for Prometheus, at least 16 characters; empty: no metrics.",
    )
    public_url: str = Field(
        "",
        description="Address of this installation in links that leave it; empty: as the agent's browser saw it.",
    )
    smtp_url: str = Field(
        "",
        description="Mail server for agents' replies to absent visitors and for alerts to admins: "
        "smtp://user:password@host:587 (with STARTTLS), smtps://host:465, or smtp+plain://host:25; empty: no e-mail.",
    )
    mail_from: str = Field("", description="Sender of those e-mails, for example Help <help@shop.example>.")
    trusted_proxies: int = Field(
        0, ge=0, description="Reverse proxies in front whose X-Forwarded-* are believed."
    )
    outbound_private: str = Field(
        "",
        description="Private hosts that may be asked all the same: names, *.domain, addresses, networks; with commas.",
    )
    image_hosts: str = Field(
        "",
        description="Hosts whose pictures cards may show, beside this installation: names, *.domain; with commas.",
    )
    demo_orders: str = Field(
        "",
        description="Address of the demo's own order service; frontdesk demo sets it, nobody else needs it.",
    )

    @property
    def database(self) -> str:
        """SQLAlchemy URL in force."""
        return self.database_url or f"sqlite:///{(self.data / 'frontdesk.db').absolute()}"

    @property
    def releases(self) -> Path:
        """Folder of the release bundles, one directory a release id."""
        return self.data / "releases"

    @property
    def encoders(self) -> Path:
        """Folder of exported sentence encoders, one directory a fingerprint."""
        return self.data / "encoders"

    @property
    def uploads(self) -> Path:
        """Folder of uploaded files, outside any folder that is served."""
        return self.data / "uploads"

    def as_environment(self) -> dict[str, str]:
        """The environment that gives a child process the same settings."""
        values: dict[str, str] = {}
        for name, field in type(self).model_fields.items():
            alias = field.validation_alias
            key = alias if isinstance(alias, str) else f"FRONTDESK_{name.upper()}"
            values[key] = str(getattr(self, name))
        values["FRONTDESK_DATA"] = str(self.data.absolute())
        return values


@lru_cache(maxsize=1)
def settings() -> Settings:
    """The process's settings, read on first use."""
    return Settings()
