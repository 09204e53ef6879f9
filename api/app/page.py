"""The page at `/`: what is served here, and where to read more. It loads nothing from others."""

from html import escape
from pathlib import Path
from string import Template

from app.health import Health

TEMPLATE = Template((Path(__file__).parent / "index.html").read_text(encoding="utf-8"))
HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; img-src data:",
}


def render(health: Health) -> str:
    """The page for what this process serves."""
    return TEMPLATE.substitute({name: escape(value) for name, value in health})
