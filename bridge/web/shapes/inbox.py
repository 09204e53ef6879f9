"""What came in, and what goes out."""

from typing import Literal

from bridge.delivery import DeliveryState
from bridge.web.shapes.common import Moment, Shape


class DeliveryRow(Shape):
    """One delivery, never its body. `verdict` is what became of it, in one word."""

    id: int
    source: str
    delivery_id: str
    event: str | None
    sha256: str
    received_at: Moment
    state: DeliveryState
    sentence: str
    attempts: int
    due_at: Moment | None
    verdict: Literal["accepted", "handled", "ignored", "parked", "discarded", "rejected"]


class NoticeRow(Shape):
    """One message on its way out, or sent."""

    id: int
    target: str
    message_id: str
    about: str
    release: int | None
    text: str
    created_at: Moment
    state: DeliveryState
    sentence: str
    attempts: int
    due_at: Moment | None
