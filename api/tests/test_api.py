"""What the API answers, to good questions and to bad ones."""

import json
import os
import re
import socket
from datetime import UTC, datetime

import httpx
import pytest
from app import __version__
from app.health import read_health
from conftest import Card, Row

import regression_model

pytestmark = pytest.mark.anyio
JSON = {"Content-Type": "application/json"}


async def test_health_says_what_this_process_serves(api: httpx.AsyncClient, card: Card) -> None:
    answer = await api.get("/api/v1/health")

    assert answer.json() == {
        "name": "house-prices-api",
        "api_version": __version__,
        "model_version": card.version,
        "model_digest": f"sha256:{card.model['sha256']}",
        "started_at": "2026-11-23T04:05:06Z",
        "instance": "web.1",
    }
    assert answer.headers["cache-control"] == "no-store"


def test_outside_heroku_the_instance_is_the_process() -> None:
    health = read_health({}, datetime.now(UTC))

    assert health.instance == f"{socket.gethostname()}:{os.getpid()}"


async def test_the_known_answers_of_the_card_are_given(api: httpx.AsyncClient, card: Card) -> None:
    inputs = [known.input for known in card.known_answers]

    answer = (await api.post("/api/v1/predict", json={"inputs": inputs})).json()

    assert (answer["version"], answer["errors"]) == (regression_model.__version__, [])
    assert len(answer["predictions"]) == len(card.known_answers) == 5
    for price, known in zip(answer["predictions"], card.known_answers, strict=True):
        assert abs(price - known.output) <= known.tolerance


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("LotArea", '"large"'),
        ("LotArea", "null"),
        ("LotArea", "NaN"),
        ("LotArea", "-Infinity"),
        ("LotArea", "1e300"),
        ("LotArea", "1e999"),
        ("LotArea", "9" * 4000),
        ("LotArea", "{}"),
        ("OverallQual", "11"),
        ("Street", "7"),
        ("Street", '"\\ud800"'),
        ("Street", json.dumps("x" * 100_000)),
        ("GarageCars", "[" * 50 + "]" * 50),
        ("ThreeSsnPortch", "0"),
    ],
)
async def test_a_bad_cell_is_named_with_its_row(
    api: httpx.AsyncClient, row: Row, column: str, value: str
) -> None:
    good, bad = json.dumps(row), json.dumps(row | {column: "@"}).replace('"@"', value)

    answer = await api.post(
        "/api/v1/predict", content=f'{{"inputs": [{good}, {bad}]}}', headers=JSON
    )

    assert answer.status_code == 422
    [problem] = answer.json()["detail"]
    assert problem["loc"] == ["body", "inputs", 1, column]
    assert len(answer.content) < 1000


async def test_a_missing_cell_is_named(api: httpx.AsyncClient, row: Row) -> None:
    del row["LotArea"]

    answer = await api.post("/api/v1/predict", json={"inputs": [row]})

    [problem] = answer.json()["detail"]
    assert (problem["loc"], problem["msg"]) == (["body", "inputs", 0, "LotArea"], "Field required")


async def test_a_house_beyond_all_houses_has_no_price(api: httpx.AsyncClient, row: Row) -> None:
    areas: Row = {name: 1e6 for name, value in row.items() if isinstance(value, float)}
    houses = [row, *(row | {name: area} for name, area in areas.items())]
    usual, *prices = (await api.post("/api/v1/predict", json={"inputs": houses})).json()[
        "predictions"
    ]
    dear = {name: 1e6 for name, price in zip(areas, prices, strict=True) if price > usual}
    beyond = row | dear

    answer = await api.post("/api/v1/predict", json={"inputs": [row, beyond]})

    assert answer.status_code == 422
    [problem] = answer.json()["detail"]
    assert (problem["loc"], problem["type"]) == (["body", "inputs", 1], "no_price")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"nonsense",
        b"[]",
        b"null",
        b"5",
        b'"inputs"',
        b"{}",
        b'{"inputs": {}}',
        b'{"inputs": null}',
        b'{"inputs": [1, null, [], "x"]}',
        b'{"inputs": [{"\\ud800": 1}]}',
        b'{"\\ud800": 1}',
        b'{"inputs": [{"LotArea": ' + b"9" * 10_000 + b"}]}",
        b'{"inputs": ' + b"[" * 200_000,
        b'{"inputs": ' + b"[" * 50_000 + b"]" * 50_000 + b"}",
        b'{"inputs": ' + b'{"a":' * 50_000 + b"1" + b"}" * 50_000 + b"}",
        b"\xff\xfe\x00",
        b"\x00",
    ],
    ids=lambda body: body[:30].decode("ascii", "replace"),
)
@pytest.mark.parametrize("content_type", ["application/json", "text/plain", "multipart/form-data"])
async def test_junk_is_refused_and_breaks_nothing(
    api: httpx.AsyncClient, body: bytes, content_type: str
) -> None:
    answer = await api.post("/api/v1/predict", content=body, headers={"Content-Type": content_type})

    assert answer.status_code in (400, 422)
    assert answer.json()["detail"]


async def test_a_long_name_is_not_repeated_at_length(api: httpx.AsyncClient, row: Row) -> None:
    answer = await api.post("/api/v1/predict", json={"inputs": [row | {"x" * 100_000: 1}]})

    [problem] = answer.json()["detail"]
    assert problem["loc"] == ["body", "inputs", 0, "x" * 100]


async def test_many_rows_are_answered_and_too_many_are_not(
    api: httpx.AsyncClient, row: Row
) -> None:
    many = await api.post("/api/v1/predict", json={"inputs": [row] * 1000})
    too_many = await api.post("/api/v1/predict", json={"inputs": [row] * 1001})

    assert len(many.json()["predictions"]) == 1000
    assert (too_many.status_code, too_many.json()["detail"][0]["loc"]) == (422, ["body", "inputs"])


async def test_a_thousand_bad_rows_get_a_short_answer(api: httpx.AsyncClient) -> None:
    answer = await api.post("/api/v1/predict", json={"inputs": [{}] * 1000})

    assert answer.status_code == 422
    assert len(answer.json()["detail"]) == 100


async def test_a_body_that_is_too_large_is_not_read(api: httpx.AsyncClient) -> None:
    answer = await api.post("/api/v1/predict", content=b" " * 5_000_000, headers=JSON)

    assert answer.status_code == 413


async def test_the_page_shows_the_model_and_asks_nobody_else(
    api: httpx.AsyncClient, card: Card
) -> None:
    answer = await api.get("/")

    assert answer.status_code == 200
    assert f">{card.version}<" in answer.text
    assert f"sha256:{card.model['sha256']}" in answer.text
    assert re.findall(r"""(?:src|href)=["'](?!/|data:)""", answer.text) == []
    assert "default-src 'none'" in answer.headers["content-security-policy"]


async def test_openapi_describes_a_row_and_shows_one(api: httpx.AsyncClient, row: Row) -> None:
    described = (await api.get("/api/v1/openapi.json")).json()

    assert "ThreeSsnPorch" in described["components"]["schemas"]["House"]["properties"]
    body = described["paths"]["/api/v1/predict"]["post"]["requestBody"]
    [shown] = body["content"]["application/json"]["examples"]["one"]["value"]["inputs"]
    assert shown == {name: value for name, value in row.items() if value is not None}
    assert (await api.post("/api/v1/predict", json={"inputs": [shown]})).status_code == 200
