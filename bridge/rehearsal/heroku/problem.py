"""Heroku's way to say no: a status, a stable id and a sentence."""


class Problem(Exception):
    """Sent as `{"id", "message"}` with its status."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message
