"""The prediction API: `GET /api/v1/health`, `POST /api/v1/predict` and a page at `/`."""

import os
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated

from fastapi import Body, FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, JSONResponse
from pydantic import BaseModel, Field
from regression_model.predict import Prediction, make_prediction
from regression_model.schema import House

from app.health import Health, example, read_health
from app.page import HEADERS, render

MAX_ROWS = 1_000
MAX_BODY = 4 * 1024 * 1024
MAX_ERRORS = 100


class Inputs(BaseModel):
    """The rows to predict."""

    inputs: Annotated[list[House], Field(max_length=MAX_ROWS)]


def create_app(environment: Mapping[str, str], now: datetime) -> FastAPI:
    """The API around the model of this process, which is loaded here, once.

    Raises ModelMissing when the package holds no model: better no process than one without answers.
    """
    health = read_health(environment, now)
    page = render(health)
    known = example()
    examples = {"one": {"summary": "One house", "value": {"inputs": [known]}}} if known else None
    app = FastAPI(
        title=health.name,
        version=health.api_version,
        openapi_url="/api/v1/openapi.json",
        redoc_url=None,
        max_body_size=MAX_BODY,
    )
    app.add_exception_handler(RequestValidationError, say_what_is_wrong)

    @app.get("/api/v1/health")
    def get_health(response: Response) -> Health:
        """What this process serves: read once when it started, so it cannot speak of another."""
        response.headers["Cache-Control"] = "no-store"
        return health

    @app.post("/api/v1/predict")
    def predict(body: Annotated[Inputs, Body(openapi_examples=examples)]) -> Prediction:
        """The price of each row, in dollars. A row that is none: 422, naming row and column."""
        prediction = make_prediction(body.inputs)
        if prediction.errors:
            raise RequestValidationError(
                [
                    {"loc": ("body", "inputs", error.row), "msg": error.message, "type": "no_price"}
                    for error in prediction.errors
                ]
            )
        return prediction

    @app.get("/", include_in_schema=False)
    def index() -> HTMLResponse:
        return HTMLResponse(page, headers=HEADERS)

    return app


async def say_what_is_wrong(_: Request, error: Exception) -> JSONResponse:
    """422 that names row and column, in FastAPI's own shape.

    Without the input, which FastAPI would repeat: it may be large, or not be writable as JSON.
    """
    problems = error.errors() if isinstance(error, RequestValidationError) else []
    detail = [
        {
            # A column that we do not know has the name that the sender gave it, of any length.
            "loc": [part[:100] if isinstance(part, str) else part for part in problem["loc"]],
            "msg": problem["msg"],
            "type": problem["type"],
        }
        for problem in problems[:MAX_ERRORS]
    ]
    return JSONResponse({"detail": detail}, status_code=422)


app = create_app(os.environ, datetime.now(UTC))
