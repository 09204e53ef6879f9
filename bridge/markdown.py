"""Words from outside in GitHub's Markdown: they show, and do nothing else. Pure.

In a code span nothing is a mention, a link, an image, a reference or HTML; so whatever a card, a
tag or a commit says stands in one. Source: https://github.github.com/gfm/#code-spans
"""

import re
from urllib.parse import urlsplit

from bridge.sentences import capped

LONGEST = 60
INSTEAD = {"`": "'", "|": "¦"}
"""What would end a code span, or a cell of a table: GitHub unescapes neither reliably."""
SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|~!@])")
ADDRESS = re.compile(r"https?://[A-Za-z0-9._~:/?#&=%+,;@-]{1,300}")


def code(said: str, longest: int = LONGEST) -> str:
    """Words from outside as a code span of at most so many characters; what cannot be seen, or
    turns the direction of reading, is shown as `�`."""
    shown = [
        INSTEAD.get(one, one if one.isprintable() else "\N{REPLACEMENT CHARACTER}") for one in said
    ]
    return f"`{capped(''.join(shown).strip(), longest) or '?'}`"


def plain(sentence: str) -> str:
    """A sentence of our own, with every sign that Markdown would read taken literally."""
    return SPECIAL.sub(r"\\\1", sentence)


def link(said: str, url: str | None) -> str:
    """Words from outside, leading to an address if that is a plain one."""
    words = code(said)
    return f"[{words}]({url})" if url and _is_plain(url) else words


def _is_plain(url: str) -> bool:
    if not ADDRESS.fullmatch(url):
        return False
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return bool(parts.hostname) and parts.username is None and parts.password is None
