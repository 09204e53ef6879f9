"""The running API: what it reports, what it answers, and what is nothing clear."""

import json

import httpx
import pytest

from bridge.errors import Unavailable
from bridge.model_card import KnownAnswer
from bridge.prediction.client import Health, PredictionApi, WrongAnswer
from tests.bridge_kit import Street

URL = "https://api.test"
KNOWN = [
    KnownAnswer(input={"GrLivArea": 1500}, output=200.0, tolerance=0.5),
    KnownAnswer(input={"GrLivArea": 900}, output=100.0, tolerance=0.0),
]


class Served(Street):
    """An API, as each test tells it to answer."""

    def __init__(self) -> None:
        super().__init__(URL)
        self.api = PredictionApi(self.door)

    def predicts(self, *values: object) -> None:
        body = {"predictions": list(values), "version": "0.1.1", "errors": None}
        self.router.post(f"{URL}/api/v1/predict").respond(200, json=body)


@pytest.fixture
def served() -> Served:
    return Served()


async def test_health_is_read_afresh(served: Served) -> None:
    told = {"name": "x", "model_version": "0.1.1", "model_digest": "sha256:a", "instance": "web.1"}
    served.router.get(f"{URL}/api/v1/health").respond(200, json=told)
    expected = Health(model_version="0.1.1", model_digest="sha256:a", instance="web.1")
    assert expected == await served.api.health()
    assert "no-cache" == served.asked[0].headers["cache-control"]


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(404),
        httpx.Response(503, html="<h1>Application error</h1>"),
        httpx.Response(200, html="<h1>Welcome</h1>"),
        httpx.Response(200, text='{"model_version": "0.1'),
        httpx.Response(200, json={"status": "ok"}),
        httpx.Response(200, json={"model_version": 1}),
        httpx.Response(301, headers={"location": "https://other.test/"}),
    ],
)
async def test_what_is_not_clear_is_unavailable(served: Served, answer: httpx.Response) -> None:
    served.router.get(f"{URL}/api/v1/health").mock(return_value=answer)
    served.router.post(f"{URL}/api/v1/predict").mock(return_value=answer)
    with pytest.raises(Unavailable):
        await served.api.health()
    with pytest.raises(Unavailable):
        await served.api.wrong_answer(KNOWN, "0.1.1")


async def test_the_answers_of_training_time_are_right(served: Served) -> None:
    served.predicts(200.5, 100)
    assert await served.api.wrong_answer(KNOWN, "0.1.1") is None
    assert {"inputs": [one.input for one in KNOWN]} == json.loads(served.asked[0].content)


@pytest.mark.parametrize(
    ("values", "wrong"),
    [
        ((200.6, 100.0), WrongAnswer(200.0, 200.6)),
        ((200.0, 100.1), WrongAnswer(100.0, 100.1)),
        ((100.0, 200.0), WrongAnswer(200.0, 100.0)),
        ((200.0,), WrongAnswer(200.0, None)),
        ((), WrongAnswer(200.0, None)),
        ((200.0, 100.0, 1.0), WrongAnswer(200.0, None)),
    ],
)
async def test_another_answer_is_wrong(
    served: Served, values: tuple[float, ...], wrong: WrongAnswer
) -> None:
    served.predicts(*values)
    assert wrong == await served.api.wrong_answer(KNOWN, "0.1.1")


async def test_an_input_that_is_not_taken_is_wrong(served: Served) -> None:
    served.router.post(f"{URL}/api/v1/predict").respond(422, json={"detail": []})
    assert WrongAnswer(200.0, None) == await served.api.wrong_answer(KNOWN, "0.1.1")


@pytest.mark.parametrize("values", [(200.0, 100.0), (7.0, 7.0)])
async def test_what_another_version_answers_is_no_verdict(
    served: Served, values: tuple[float, ...]
) -> None:
    """An old process may answer one request more while processes change."""
    served.predicts(*values)
    with pytest.raises(Unavailable, match=r"^0\.1\.1 answered"):
        await served.api.wrong_answer(KNOWN, "0.1.2")


async def test_a_version_is_the_same_however_it_is_spelled(served: Served) -> None:
    """Whoever announced 0.1.1.0 means the model that calls itself 0.1.1."""
    served.predicts(200.0, 100.0)
    assert await served.api.wrong_answer(KNOWN, "0.1.1.0") is None


async def test_what_is_not_a_number_is_no_answer(served: Served) -> None:
    text = '{"predictions": [NaN, 100.0], "version": "0.1.1"}'
    served.router.post(f"{URL}/api/v1/predict").respond(200, text=text)
    found = await served.api.wrong_answer(KNOWN, "0.1.1")
    assert found is not None
    assert 200.0 == found.expected


def test_a_tolerance_below_zero_is_no_tolerance() -> None:
    with pytest.raises(ValueError, match="tolerance"):
        KnownAnswer(input={}, output=200.0, tolerance=-1)
