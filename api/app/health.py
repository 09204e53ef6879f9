"""What this process serves, read once when it starts."""

import json
import os
import socket
from collections.abc import Mapping
from datetime import UTC, datetime

from pydantic import BaseModel, ConfigDict
from regression_model.config import CARD_FILE, PACKAGE
from regression_model.predict import model_digest

import regression_model
from app import __version__


class Health(BaseModel):
    """`model_digest` is `sha256:`+hex of the bytes that were loaded; `started_at` is in UTC."""

    # The names are the API's; pydantic reserves `model_` for itself unless told otherwise.
    model_config = ConfigDict(frozen=True, protected_namespaces=())

    name: str
    api_version: str
    model_version: str
    model_digest: str
    started_at: str
    instance: str


def read_health(environment: Mapping[str, str], now: datetime) -> Health:
    """Load the model and say what it is. Raises ModelMissing."""
    return Health(
        name="house-prices-api",
        api_version=__version__,
        model_version=regression_model.__version__,
        model_digest=model_digest(),
        started_at=now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        # Heroku names each dyno; a dyno that restarts keeps its name, so `started_at` is there too.
        instance=environment.get("DYNO") or f"{socket.gethostname()}:{os.getpid()}",
    )


def example() -> object | None:
    """A row to show: the first known answer of the model's card, if it has one."""
    try:
        card = json.loads((PACKAGE / CARD_FILE).read_bytes())
        found: object = card["known_answers"][0]["input"]
    except (OSError, ValueError, LookupError, TypeError):
        return None
    return found
