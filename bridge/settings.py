"""Settings, read once: `bridge.toml` for what may be shown, the environment for secrets.

Every variable may also be given as NAME_FILE, the path of a file with its value.
"""

import os
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import parse_qs, unquote, urlsplit

from pydantic import BaseModel, Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from bridge.configuration import Address, Duration, Pipeline, Target, in_sequence
from bridge.errors import Misconfigured
from bridge.kit.redact import Secrets, words_of
from bridge.sign_in import Web
from bridge.sources import SOURCES

PREFIX = "BRIDGE_"
SHORTEST_SECRET = 24
Rotating = Annotated[list[SecretStr], NoDecode]


class WebhookSecrets(BaseModel):
    """The active secrets of each source; without one the source is off."""

    circleci: Rotating = []
    publisher: Rotating = []
    github: Rotating = []
    heroku: Rotating = []

    @field_validator("*", mode="before")
    @classmethod
    def separate(cls, value: object) -> object:
        """Several secrets are separated by commas, for rotation."""
        if isinstance(value, str):
            return [part.strip() for part in value.split(",") if part.strip()]
        return value

    @field_validator("*")
    @classmethod
    def long_enough(cls, value: list[SecretStr]) -> list[SecretStr]:
        """A short secret can be guessed."""
        if any(len(secret.get_secret_value()) < SHORTEST_SECRET for secret in value):
            raise ValueError(f"a secret is shorter than {SHORTEST_SECRET} characters")
        return value

    def keys(self, source: str) -> list[bytes]:
        """The keys that may sign for `source`."""
        secrets: list[SecretStr] = getattr(self, source)
        return [SOURCES[source].key_of(secret.get_secret_value()) for secret in secrets]


class GitHubSettings(BaseModel):
    """A token, or an App's id and private key."""

    url: Address = "https://api.github.com"
    token: SecretStr | None = None
    app_id: str | None = None
    private_key: SecretStr | None = None

    @field_validator("private_key")
    @classmethod
    def in_lines(cls, value: SecretStr | None) -> SecretStr | None:
        """A variable often holds a key in one line, with `\\n` for the ends of its lines."""
        return SecretStr(value.get_secret_value().replace("\\n", "\n")) if value else None

    @property
    def is_classic(self) -> bool:
        """Whether it is a classic token, which opens every repository of its owner."""
        return self.token is not None and self.token.get_secret_value().startswith("ghp_")

    @model_validator(mode="after")
    def one_way_in(self) -> "GitHubSettings":
        """Not half an App."""
        if (self.app_id is None) != (self.private_key is None):
            raise ValueError("app_id and private_key belong together")
        return self


class HerokuSettings(BaseModel):
    """Where and as whom Heroku is asked."""

    url: Address = "https://api.heroku.com"
    token: SecretStr | None = None


class IndexSettings(BaseModel):
    """The read token of the private index."""

    token: SecretStr | None = None


class Settings(BaseSettings):
    """Everything that can be set."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_nested_delimiter="__",
        extra="ignore",
        nested_model_default_partial_update=True,
    )

    public_url: str = "http://127.0.0.1:8000"
    database_url: str = Field(default="sqlite:///bridge.db", repr=False)
    sweep_every: Duration = timedelta(minutes=1)
    public_index: Address | None = None
    log_level: Literal["info", "debug"] = "info"
    private_hosts: list[str] = []
    pipeline: list[Pipeline] = Field(default=[])
    target: list[Target] = []
    target_urls: dict[str, SecretStr] = {}
    target_secrets: dict[str, SecretStr] = {}
    webhook_secrets: WebhookSecrets = WebhookSecrets()
    github: GitHubSettings = GitHubSettings()
    heroku: HerokuSettings = HerokuSettings()
    index: IndexSettings = IndexSettings()
    web: Web = Web()

    def secrets(self) -> Secrets:
        """Everything that must not be said, for whoever says or quotes something."""
        database = urlsplit(self.database_url)
        kept: list[str | bytes] = [unquote(database.password or "")]
        kept += parse_qs(database.query).get("password", [])
        for group in (self.github, self.heroku, self.index):
            values = (value for _, value in group if isinstance(value, SecretStr))
            kept += [value.get_secret_value() for value in values]
        for source, values in self.webhook_secrets:
            kept += [value.get_secret_value() for value in values]
            kept += self.webhook_secrets.keys(source)
        for url in self.target_urls.values():
            kept += words_of(url.get_secret_value())
        for secret in self.target_secrets.values():
            kept += (part.strip() for part in secret.get_secret_value().split(","))
        kept += [*self.web.secrets(), self.web.key()]
        return Secrets(kept)

    @field_validator("pipeline")
    @classmethod
    def distinct(cls, value: list[Pipeline]) -> list[Pipeline]:
        """A pipeline is known by its name."""
        names = [pipeline.name for pipeline in value]
        if len(set(names)) != len(names):
            raise ValueError("two pipelines have the same name")
        in_sequence(value)
        return value

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment wins over the file."""
        if isinstance(env_settings, EnvSettingsSource):
            env_settings.env_vars = {**_from_files(), **env_settings.env_vars}
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls, config_file())


def config_file() -> Path:
    """`bridge.toml` here, or where BRIDGE_CONFIG says."""
    return Path(os.environ.get("BRIDGE_CONFIG", "bridge.toml"))


def load() -> Settings:
    """Read everything, or raise Misconfigured naming the fields, never their values."""
    named = os.environ.get("BRIDGE_CONFIG")
    if named and not Path(named).is_file():
        raise Misconfigured(f"BRIDGE_CONFIG names {named}, which is not there")
    try:
        return Settings()
    except ValidationError as error:
        told = [
            f"{'.'.join(str(part) for part in problem['loc'])}: {problem['msg']}"
            for problem in error.errors(include_input=False, include_context=False)
        ]
        raise Misconfigured("\n".join(["The configuration cannot work.", *told])) from None
    except ValueError as error:
        raise Misconfigured(f"{config_file()}: {error}") from None


def database_url() -> str:
    """Only where the database is, for the commands that need nothing else."""
    return load().database_url


def _from_files() -> dict[str, str]:
    """The values of every NAME_FILE, by NAME as pydantic-settings looks for it: in lower case."""
    found: dict[str, str] = {}
    for name, path in os.environ.items():
        if name.startswith(PREFIX) and name.endswith("_FILE"):
            try:
                found[name.removesuffix("_FILE").lower()] = Path(path).read_text().strip()
            except (OSError, UnicodeDecodeError) as error:
                raise Misconfigured(f"{name} cannot be read: {type(error).__name__}") from None
    return found
