"""No secret leaves: a journey among neighbours that echo every credential, at DEBUG, and then a
search of everything that the process wrote."""

import base64
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote, quote_plus, urlsplit

import pytest
from sqlalchemy import MetaData, create_engine

from tests.canary_kit import CANARIES, FAULTS, PEM, Street, echo, says

PAGES = [
    *("/", "/releases", "/deliveries", "/audit", "/no-such-page", "/webhooks/nobody"),
    *("/sign-in", "/sign-in?next=/audit", "/sign-in/github/back?code=x&state=y"),
    *("/livez", "/readyz", "/healthz", "/version", "/metrics", "/api/v1/openapi.json"),
    *("/api/v1/releases", "/api/v1/deliveries", "/api/v1/audit", "/releases/x"),
]
MINTED = re.compile(rb"gh[os]_[\w.-]{12,}|eyJ[\w-]{8,}\.[\w-]{8,}")


def spelled(secret: str) -> set[bytes]:
    """As anybody would write it; made here with other means than where it is taken out."""
    data = secret.encode()
    users = (b"", b":", b"x-access-token:", b"acme:", b"made-up:", b"token:")
    words = {user + data for user in users} | {data + b":", data + b":x-oauth-basic"}
    encoded = {base64.b64encode(word).rstrip(b"=")[:-2] for word in words}
    urlsafe = {base64.urlsafe_b64encode(word).rstrip(b"=")[:-2] for word in words}
    quoted = {quote(secret, safe="").encode(), quote(secret).encode(), quote_plus(secret).encode()}
    return {data, data.hex().encode(), data.hex().upper().encode()} | encoded | urlsafe | quoted


def leaks(name: str) -> list[str]:
    """What a careless program prints of a secret that it has."""
    secret = CANARIES[name]
    proof = base64.b64encode(f"{secret}:".encode()).decode()
    return [f"key={secret}", f"https://{quote(secret)}/", f"Proof: {proof}", secret.encode().hex()]


def canaries() -> dict[bytes, str]:
    told = {form: name for name, secret in CANARIES.items() for form in spelled(secret)}
    told |= dict.fromkeys(spelled("made-up canary publisher"), "publisher's key")
    inner = [line for line in PEM.splitlines() if not line.startswith("--")]
    return told | {form: "private key" for line in inner for form in spelled(line)}


def found(where: str, data: bytes) -> list[str]:
    """Which canaries sing in `data`."""
    told = [f"{name} in {where}" for form, name in canaries().items() if form in data]
    return sorted({*told, *(f"{minted[:20]!r} in {where}" for minted in MINTED.findall(data))})


def rows(database_url: str) -> bytes:
    """Every row of every table, or the whole file with all that lies beside it."""
    if database_url.startswith("sqlite:///"):
        file = Path(database_url.removeprefix("sqlite:///"))
        return b"".join(path.read_bytes() for path in sorted(file.parent.glob(f"{file.name}*")))
    engine = create_engine(database_url.replace("postgresql://", "postgresql+psycopg://"))
    tables = MetaData()
    tables.reflect(engine)
    with engine.connect() as connection:
        kept = [row for table in tables.sorted_tables for row in connection.execute(table.select())]
    engine.dispose()
    return "\n".join(str(tuple(row)) for row in kept).encode()


def with_password(database_url: str) -> str:
    """The address with a password, for which our test server does not ask."""
    parts = urlsplit(database_url)
    if parts.scheme == "sqlite":
        return database_url
    user, at, host = parts.netloc.rpartition("@")
    password = quote(CANARIES["database"], safe="")
    return parts._replace(netloc=f"{user.partition(':')[0]}:{password}{at}{host}").geturl()


@pytest.fixture
def street(request: pytest.FixtureRequest, tmp_path: Path, url: str) -> Iterator[Street]:
    place = Street(tmp_path, with_password(url), app=url.startswith("sqlite"))
    yield place
    place.stop()


def everything(street: Street, database_url: str) -> Iterator[tuple[str, bytes]]:
    """All that anybody may see of the bridge, by where it is seen."""
    yield "log", street.log().encode()
    yield "pages on the way", b"\n".join(street.shown)
    yield "database", rows(database_url)
    for told in street.children():
        yield from told.items()
    with street.looking() as client:
        numbers = [f"{page}/{n}" for page in ("/releases", "/api/v1/releases") for n in (1, 2, 3)]
        for page in [*PAGES, *numbers]:
            answer = client.get(page)
            yield page, f"{answer.headers}".encode() + answer.content
    for number, pull in street.github.pulls.items():
        yield f"pull request {number}", repr(vars(pull)).encode()
    history = ["git", "-C", str(street.github.bare), "log", "-p", "--all", "--format=fuller"]
    yield "commits", subprocess.run(history, capture_output=True, check=True).stdout
    for path in (street.folder / "tmp").rglob("*"):
        if path.is_file():
            yield str(path.relative_to(street.folder)), path.read_bytes()
    yield "builds", repr([build.source for build in street.heroku.builds]).encode()


def test_no_secret_leaves(street: Street, url: str) -> None:
    """Three versions: one that meets every fault, one whose build tells secrets and fails, one
    that Heroku refuses in words that hold its token."""
    first = street.publish("0.1.0")
    for parrot in street.parrots.values():
        parrot.faults = list(FAULTS if url.startswith("sqlite") else FAULTS[:4])
    assert "verified" == street.follow(first, "0.1.0")
    assert not any(parrot.faults for parrot in street.parrots.values())

    street.parrots["GitHub"].faults = [says] * 3
    street.runner.fail_build = "\n".join(leaks("index token") + leaks("github"))
    assert "failed" == street.follow(street.publish("0.1.1"), "0.1.1")
    street.runner.fail_build = None

    third = street.publish("0.1.2")
    street.github.on_push.append(lambda ref, sha: street.parrots["Heroku"].faults.append(echo(422)))
    assert "failed" == street.follow(third, "0.1.2")
    forged = street.deliver(third(), **{"webhook-signature": "v1,bWFkZS11cA=="})
    assert 401 == forged.status_code

    answers = [one for echoes in (False, True) for one in street.sign_in(echoes)]
    assert [303, 409, 303, 303, 401, 401, 401, 303] == [one.status_code for one in answers[:8]]
    assert [303, 409, 303, 403, 401, 401, 401, 403] == [one.status_code for one in answers[8:]]
    street.shown += [one.content for one in answers]

    seen = dict(everything(street, url))
    assert b"GET" in seen["log"], "the log was at its most talkative"
    assert b"httpcore" in seen["log"]
    assert b"GitHub said: I heard" in seen["pages on the way"]
    assert b"Heroku refused" in seen["database"]
    assert b"Heroku could not build" in seen["database"]
    assert len(seen["commits"]) > 1000
    told = [one for where, data in seen.items() for one in found(where, data)]
    assert not told, told


def test_the_search_finds_what_it_looks_for() -> None:
    for secret in CANARIES.values():
        assert found("x", b"Authorization: Basic " + base64.b64encode(f"{secret}:".encode()))
        assert found("x", f"https://{quote(secret, safe='')}:@index.test/".encode())
    assert found("x", b"key " + PEM.splitlines()[3].encode())
    assert found("x", b"Bearer ghs_4242_made.up.token.of.many.words")
    assert [] == found("x", b"an ordinary line")
