"""GitHub's GraphQL: one document out, its data back.

GitHub answers 200 with an `errors` list for a stale head, a name that is taken and a spent rate
limit alike, so the list is read, not the status. None of them is final: a name that is taken is
seen by the next look, and a token can be mended.
"""

from typing import TypeVar

from pydantic import BaseModel, JsonValue, ValidationError

from bridge.errors import Unavailable
from bridge.kit.http import Door

API_VERSION = "2022-11-28"
Answer = TypeVar("Answer", bound=BaseModel)


class _Error(BaseModel):
    type: str = ""
    message: str


class _Envelope(BaseModel):
    data: dict[str, JsonValue] | None = None
    errors: list[_Error] = []


class GraphQL:
    """GraphQL at `url`, spoken through `door`."""

    def __init__(self, door: Door, url: str) -> None:
        self._door, self._url = door, url

    async def speak(
        self, document: str, variables: dict[str, object], may_lack: str = ""
    ) -> dict[str, JsonValue]:
        """The `data` of GitHub's answer. An error of type `may_lack` leaves a gap in it; raises
        Unavailable for any other."""
        answer = await self._door.ask(
            "POST",
            self._url,
            json={"query": document, "variables": variables},
            headers={"x-github-api-version": API_VERSION},
            verbatim=True,  # it holds the file that is edited
        )
        if answer.status_code != 200:
            raise Unavailable(f"GitHub answered {answer.status_code}; is its token right?")
        try:
            envelope = _Envelope.model_validate_json(answer.content)
        except ValidationError as error:
            raise Unavailable("GitHub sent an answer that cannot be read") from error
        serious = [error for error in envelope.errors if error.type != may_lack or not may_lack]
        if serious:
            message = f"GitHub said: {self._door.quote(serious[0].message)}"
            raise Unavailable(message, self._door.retry_after(answer))
        return envelope.data or {}


def read(model: type[Answer], data: dict[str, JsonValue]) -> Answer:
    """The data as `model`; raises Unavailable."""
    try:
        return model.model_validate(data)
    except ValidationError as error:
        raise Unavailable("GitHub sent an answer that cannot be read") from error
