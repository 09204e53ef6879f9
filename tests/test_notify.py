"""Telling: the words, the apprise process and what it may connect to, the configuration."""

import json
from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr, ValidationError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from bridge.bootstrap import Bridge
from bridge.configuration import Tell
from bridge.errors import Misconfigured, Refused, Unavailable
from bridge.facts import Facts
from bridge.kit.redact import Secrets, words_of
from bridge.notice import About
from bridge.notify import letter
from bridge.notify.child import _may
from bridge.notify.outbox import FIRST, LONGEST, TRIES, wait
from bridge.notify.people import People
from bridge.rehearsal.hosting import Hosting
from bridge.release import Stage
from tests.bridge_kit import release, settings
from tests.notify_kit import LISTENER_SECRET
from tests.test_docs import line

URL = "https://bridge.example.com"
TOKEN = "made-up-chat-token-00000000"
BODY = letter.of_line(About.FAILED, line(), release("0.1.1", Facts(), Stage.FAILED), URL)


class Chat:
    """What apprise tells as JSON; `/moved` sends it elsewhere, `/broken` does not take it."""

    def __init__(self) -> None:
        self.heard: list[dict[str, str]] = []
        self._hosting = Hosting()
        routes = [
            Route("/moved/{rest:path}", self._moved, methods=["POST"]),
            Route("/broken/{rest:path}", self._broken, methods=["POST"]),
            Route("/{rest:path}", self._take, methods=["POST"]),
        ]
        at, self.url = self._hosting.reserve()
        self._hosting.serve(Starlette(routes=routes), at)
        self.place = self.url.removeprefix("http://")

    async def _take(self, request: Request) -> Response:
        self.heard.append(await request.json())
        return Response(status_code=204)

    async def _moved(self, request: Request) -> Response:
        return RedirectResponse(f"{self.url}/taken", 307)

    async def _broken(self, request: Request) -> Response:
        return Response(f"no {request.url.path}", 500)

    def stop(self) -> None:
        self._hosting.stop()


@pytest.fixture(scope="module")
def chat() -> Iterator[Chat]:
    pytest.importorskip("apprise", reason="apprise is not installed: nobody is told by it")
    made = Chat()
    yield made
    made.stop()


def people(url: str, **more: object) -> People:
    return People("on-call", url, URL, **more)  # type: ignore[arg-type]


async def test_people_get_one_line_and_a_subject(chat: Chat) -> None:
    await people(f"json://{chat.place}/{TOKEN}").send("msg_1", BODY)
    told = chat.heard.pop()
    assert json.loads(BODY)["data"]["text"] == told["message"]
    assert ("regression-model 0.1.1: failed", "failure") == (told["title"], told["type"])


@pytest.mark.parametrize("way", ["broken", "moved"])
async def test_what_was_not_taken_is_tried_again_and_says_no_secret(chat: Chat, way: str) -> None:
    """A redirect is not followed: nobody promised that it leads to whom we mean."""
    with pytest.raises(Unavailable) as raised:
        await people(f"json://{chat.place}/{way}/{TOKEN}").send("msg_1", BODY)
    assert TOKEN not in str(raised.value)
    assert "on-call was not reached" in str(raised.value)
    assert [] == chat.heard


async def test_a_name_that_leads_inside_is_not_connected_to(chat: Chat) -> None:
    """The name is one of the machine's own for 127.0.0.1; listed, it may."""
    host, _, port = chat.place.partition(":")
    assert "127.0.0.1" == host
    named = f"json://localhost.:{port}/{TOKEN}"
    with pytest.raises(Unavailable, match="not public"):
        await people(named).send("msg_1", BODY)
    assert [] == chat.heard
    await people(named, private_hosts=["localhost."]).send("msg_1", BODY)
    assert 1 == len(chat.heard)
    chat.heard.clear()


async def test_an_address_that_apprise_does_not_know_is_final(chat: Chat) -> None:
    with pytest.raises(Refused) as raised:
        await people(f"nonsense://{TOKEN}").send("msg_1", BODY)
    assert "target_not_known" == raised.value.reason.code
    assert TOKEN not in raised.value.reason.sentence


async def test_a_service_that_hangs_is_not_waited_for(chat: Chat) -> None:
    with pytest.raises(Unavailable, match="did not answer within 0 s"):
        await people(f"json://{chat.place}/{TOKEN}", within=0.01).send("msg_1", BODY)


def test_what_apprise_says_is_kept_short_and_without_secrets() -> None:
    told = people(f"json://chat.example.com/{TOKEN}").quote(f"404 at /{TOKEN}/ {'x' * 400}")
    assert told.startswith("404 at /…/ xxx")
    assert 200 == len(told)


def test_the_process_that_tells_gets_none_of_our_environment() -> None:
    mine = {"PATH": "bin", "BRIDGE_GITHUB__TOKEN": TOKEN, "HTTPS_PROXY": "http://proxy.test"}
    assert {"PATH", "PYTHONPATH"} == people("json://x", environ=mine)._environment().keys()


@pytest.mark.parametrize(
    ("told", "is_public", "is_inside"),
    [
        (("93.184.215.14", 443), True, True),
        (("2606:2800:21f:cb07:6820:80da:af6b:8b2c", 443, 0, 0), True, True),
        (("10.0.0.1", 443), False, True),
        (("127.0.0.1", 25), False, True),
        (("169.254.169.254", 80), False, False),
        (("fe80::1%eth0", 80, 0, 2), False, False),
        (("::ffff:10.0.0.1", 80, 0, 0), False, False),
        (("not-looked-up.test", 80), False, False),
        ("/var/run/docker.sock", False, False),
        ((), False, False),
        (None, True, True),
    ],
)
def test_where_apprise_may_connect_to(told: object, is_public: bool, is_inside: bool) -> None:
    assert (is_public, is_inside) == (_may(told, inside=False), _may(told, inside=True))


def test_words_from_outside_ring_nobody() -> None:
    odd = line()
    odd.sentence = "Closed by @here <!channel>\n\u202e" + "x" * 400
    text = json.loads(letter.of_line(About.FAILED, odd, release("1", Facts()), URL))["data"]["text"]
    assert not {"@", "<", ">", "\n", "\u202e"} & set(text)
    assert len(text) < 500


def test_a_message_has_the_id_of_what_it_is_made_of() -> None:
    assert letter.message_id("a", "b") == letter.message_id("a", "b")
    assert letter.message_id("a", "b") != letter.message_id("ab", "")


def test_the_waits_grow_and_stay_within_what_is_said() -> None:
    assert [FIRST, 4 * FIRST, 16 * FIRST] == [wait(tries, 1.0) for tries in (1, 2, 3)]
    assert LONGEST == wait(TRIES, 1.0)
    assert timedelta() == wait(TRIES, 0.0)
    whole = sum((wait(tries, 1.0) for tries in range(1, TRIES)), timedelta())
    assert timedelta(hours=21) < whole < timedelta(hours=22)


def test_the_secrets_of_an_address_are_taken_out_and_its_ordinary_words_are_not() -> None:
    password = "made-up%20pw"
    url = (
        f"mailtos://rosa.made-up:{password}@hooks.example.com:443/{TOKEN}/#deployments?x=publisher"
    )
    kept = Secrets(words_of(url))
    said = f"hooks.example.com: {TOKEN} made-up pw; deployments publisher"
    assert "hooks.example.com: … …; deployments publisher" == kept.out_of(said)
    assert "…" == kept.out_of(url)
    assert "webhooks/publisher" == Secrets(words_of("https://x.test/webhooks/publisher")).out_of(
        "webhooks/publisher"
    )


def chained(**more: object) -> Mapping[str, object]:
    return {
        "target": [{"name": "the-chain", "kind": "webhook"}],
        "target_urls": {"the_chain": SecretStr("https://next.example.com/hook")},
        "target_secrets": {"the_chain": SecretStr(LISTENER_SECRET)},
        **more,
    }


@pytest.mark.parametrize(
    ("odd", "said"),
    [
        ({"target_urls": {}}, "BRIDGE_TARGET_URLS__THE_CHAIN is not set"),
        ({"target_secrets": {}}, "BRIDGE_TARGET_SECRETS__THE_CHAIN is not set"),
        ({"target_urls": {"the_chain": f"http://next.example.com/{TOKEN}"}}, "https://"),
        ({"target_urls": {"the_chain": f"https://user:{TOKEN}@next.example.com/"}}, "no user"),
        ({"target_urls": {"the_chain": f"https://[{TOKEN}"}}, "https://"),
        ({"target_urls": {"the_chain": TOKEN}}, "https://"),
        ({"target_secrets": {"the_chain": "whsec_dG9vIHNob3J0"}}, "24 to 64 bytes"),
        ({"target": []}, "no target is the-chain"),
    ],
)
def test_a_target_that_cannot_work_is_said_before_anything_is_lost(
    tmp_path: Path, odd: Mapping[str, object], said: str
) -> None:
    told = settings(tmp_path, **chained(**odd))
    tell = Tell(to="the-chain", about=(About.FAILED,))
    told.pipeline = [one.model_copy(update={"notify": (tell,)}) for one in told.pipeline]
    bridge = Bridge(told)
    with pytest.raises(Misconfigured) as raised:
        bridge.outbox  # noqa: B018
    assert said in str(raised.value)
    assert TOKEN not in str(raised.value)
    bridge.store.close()


def test_a_target_that_can_work_does(tmp_path: Path) -> None:
    bridge = Bridge(settings(tmp_path, **chained()))
    assert {"the-chain"} == bridge.neighbours.targets.keys()
    bridge.store.close()


def test_a_pipeline_says_what_about() -> None:
    with pytest.raises(ValidationError):
        Tell.model_validate({"to": "chain", "about": []})
    with pytest.raises(ValidationError):
        Tell.model_validate({"to": "chain", "about": ["everything"]})
