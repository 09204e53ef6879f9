"""The API as it starts, asked in process; and the card of the model that it serves."""

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import httpx
import pytest
from app.main import create_app
from pydantic import BaseModel, JsonValue
from regression_model.config import CARD_FILE, PACKAGE

Row = dict[str, JsonValue]


class KnownAnswer(BaseModel):
    """A row and its price at training time."""

    input: Row
    output: float
    tolerance: float


class Card(BaseModel):
    """What the tests need of the model card."""

    version: str
    model: dict[str, str]
    known_answers: list[KnownAnswer]


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session")
def card() -> Card:
    return Card.model_validate(json.loads((PACKAGE / CARD_FILE).read_bytes()))


@pytest.fixture
def row(card: Card) -> Row:
    """A good row, to be spoilt."""
    return dict(card.known_answers[0].input)


@pytest.fixture
async def api() -> AsyncIterator[httpx.AsyncClient]:
    app = create_app({"DYNO": "web.1"}, datetime(2026, 11, 23, 4, 5, 6, tzinfo=UTC))
    # A crash shall be seen as the 500 that a client would see.
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://api.example.com") as client:
        yield client
