"""Nothing that we say, keep or quote may carry a credential.

What we know is taken out in every form that it may have on the wire; what only looks like a
credential, because a neighbour had it or minted it, by its looks.
"""

import base64
import json
import re
from collections.abc import Iterable
from typing import Any, TextIO
from urllib.parse import quote, quote_plus, unquote

GONE = "…"
SHORTEST = 8
"""A shorter word would be found in ordinary text."""
USERINFO = re.compile(r"//[^/\s@]+@")
HOST = re.compile(r"(?:[a-z0-9-]+\.)+[a-z]{2,}", re.IGNORECASE)
TOKEN = re.compile(r"(?=.*[0-9A-Z]).{16,}", re.DOTALL)
QUERY = re.compile(r"(\b[a-z]+://[^\s?\"'<>]+)\?[^\s\"'<>]+", re.IGNORECASE)
LOOKS_LIKE_ONE = re.compile(
    r"\bgh[a-z]_[\w.-]{16,}|\bgithub_pat_\w{16,}|\bHRKU-[\w-]{16,}|\bwhsec_[\w+/=-]{16,}"
    r"|\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*"
    r"|(?<=\bbearer )[\w.~+/=-]{16,}|(?<=\bbasic )[\w.~+/=-]{16,}"
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)",
    re.IGNORECASE | re.DOTALL,
)


def without_userinfo(text: str) -> str:
    """`text` with user and password taken out of every address: pip prints a token that stands as
    the user name in clear."""
    return USERINFO.sub(f"//{GONE}@", text)


class Secrets:
    """Takes out the credentials that a process holds, and whatever looks like one."""

    def __init__(self, known: Iterable[str | bytes] = ()) -> None:
        forms = {form for secret in known for form in forms_of(secret)}
        self._forms = sorted(forms, key=len, reverse=True)

    def out_of(self, text: str) -> str:
        """`text` as it may be printed."""
        text = self.out_of_bytes(text.encode(errors="surrogateescape")).decode(
            errors="surrogateescape"
        )
        return QUERY.sub(rf"\1?{GONE}", LOOKS_LIKE_ONE.sub(GONE, without_userinfo(text)))

    def out_of_bytes(self, data: bytes, *also: bytes) -> bytes:
        """`data` without what we know, and without what stands in `also`."""
        for form in (*also, *self._forms):
            if form in data:
                data = data.replace(form, GONE.encode())
        return data


def words_of(address: str) -> list[str]:
    """What is secret in an address that says everything, tokens too: all of it, its user's name and
    password, and each long word that is no word of a language, nor a host's name: that of a page
    or a channel stands in ordinary text as well."""
    user = re.match(r"[^:/]*://([^/]*)@", address)
    words = [unquote(word) for word in re.split(r"[/:@?&=,#]+", address)]
    tokens = [word for word in words if TOKEN.fullmatch(word) and not HOST.fullmatch(word)]
    login = [unquote(word) for word in user[1].split(":")] if user else []
    return [address, *tokens, *login]


def forms_of(secret: str | bytes) -> set[bytes]:
    """A secret as it may stand in other text: itself, quoted for an address, in hex, and in base64
    wherever it begins within what was encoded, `user:` before it, say. Of a key, each line."""
    data = secret.encode() if isinstance(secret, str) else secret
    if b"\n" in data:
        lines = (line.strip() for line in data.split(b"\n"))
        return {line for line in lines if len(line) >= SHORTEST and not line.startswith(b"--")}
    if len(data) < SHORTEST:
        return set()
    forms = {data, *(made.encode() for made in (quote(data), quote(data, ""), quote_plus(data)))}
    forms |= {data.hex().encode(), data.hex().upper().encode()}
    text = data.decode(errors="replace")
    forms |= {spelled[1:-1].encode() for spelled in (json.dumps(text), repr(text), repr(data)[1:])}
    for before in range(3):
        encoded = base64.b64encode(bytes(before) + data)
        # The ends depend on what stands beside it: only the sextets within are its own.
        inner = encoded[(before * 8 + 5) // 6 : (before + len(data)) * 8 // 6]
        forms |= {inner, inner.translate(bytes.maketrans(b"+/", b"-_"))}
    return forms


class Discreet:
    """A stream that prints no secret: logs, tracebacks and warnings of all libraries alike."""

    def __init__(self, stream: TextIO, secrets: Secrets) -> None:
        self._stream = stream
        self._secrets = secrets

    def write(self, text: str) -> int:
        """Print it, without what nobody may see."""
        self._stream.write(self._secrets.out_of(text))
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        """Print them likewise."""
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)
