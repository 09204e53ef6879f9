"""Sign-in at GitHub, with the rehearsal's GitHub on a port of its own: the whole way of a browser,
members and strangers, teams and roles, and everybody who tries to come in another way."""

import re
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from html import unescape
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from bridge.bootstrap import Bridge
from bridge.rehearsal.gate import Fault
from bridge.rehearsal.github import GitHub
from bridge.rehearsal.github.state import account_id
from bridge.rehearsal.hosting import Hosting
from bridge.web.people.github import web_of
from tests.bridge_kit import NOW, a_bridge
from tests.people_kit import HERE, OWN_PAGE, acts_of, asking
from tests.rehearsal_github_kit import NAME, SECRET, TOKEN

CLIENT_SECRET = "made-up-client-secret-0000"
BACK = f"{HERE}/sign-in/github/back"


class Place:
    """A bridge, and a GitHub where rosa and dana are in acme, rosa in its team ml-platform; eve is
    in another organization, and mallory was invited."""

    def __init__(self, bridge: Bridge, github: GitHub) -> None:
        self.bridge, self.github = bridge, github

    def authorize(self, address: str, login: str) -> httpx.Response:
        """What a person does at GitHub: reads who asks, and presses their own name."""
        with httpx.Client(trust_env=False) as browser:
            page = browser.get(address)
            assert 200 == page.status_code, page.text
            hidden = re.findall(r'name="(\w+)" value="([^"]*)"', page.text)
            form = {name: unescape(value) for name, value in hidden if name != "login"}
            parts = urlsplit(address)
            at = f"{parts.scheme}://{parts.netloc}{parts.path}"
            return browser.post(at, data={**form, "login": login})

    async def sign_in(self, client: httpx.AsyncClient, login: str) -> httpx.Response:
        """The whole way; the answer to the last step."""
        begun = await client.get("/sign-in/github?next=/releases")
        back = self.authorize(begun.headers["location"], login)
        assert back.headers["location"].startswith(f"{BACK}?")
        return await client.get(back.headers["location"])


@pytest.fixture
def hosted(tmp_path: Path) -> Iterator[GitHub]:
    hosting = Hosting()
    listening, url = hosting.reserve()
    github = GitHub(
        tmp_path / "github",
        repository=NAME,
        token=TOKEN,
        webhook_secret=SECRET,
        post=lambda letter: None,
        clock=lambda: NOW,
        url=url,
    )
    github.oauth.client_secret, github.oauth.callback = CLIENT_SECRET, BACK
    people = github.oauth.organization
    people.members, people.invited, people.strangers = {"rosa", "dana"}, {"mallory"}, {"eve"}
    people.teams = {"ml-platform": {"rosa", "mallory"}, "auditors": {"dana"}}
    hosting.serve(github.app, listening)
    yield github
    hosting.stop()


def web(github: GitHub, **more: object) -> dict[str, object]:
    return {
        "client_id": github.oauth.client_id,
        "client_secret": CLIENT_SECRET,
        "organization": "acme",
        "operators": ["ml-platform"],
        **more,
    }


@pytest.fixture
async def place(tmp_path: Path, hosted: GitHub) -> AsyncIterator[Place]:
    url = hosted.oauth.url
    async with a_bridge(
        tmp_path, public_url=HERE, github={"url": url}, web={"github": web(hosted)}
    ) as bridge:
        yield Place(bridge, hosted)


async def test_a_member_looks_and_the_team_acts(place: Place) -> None:
    for login, role in (("dana", "viewer"), ("rosa", "operator")):
        async with asking(place.bridge) as client:
            asked = await client.get("/sign-in?next=/releases")
            assert 'href="/sign-in/github?next=/releases"' in asked.text
            answer = await place.sign_in(client, login)
            assert (303, "/releases") == (answer.status_code, answer.headers["location"])
            assert 200 == (await client.get("/releases")).status_code
            tried = await client.post(
                "/api/v1/everything/pause", json={"reason": "A test."}, headers=OWN_PAGE
            )
            assert (200 if role == "operator" else 403) == tried.status_code
    (act,) = await acts_of(place.bridge)
    assert "rosa" == act["who"]
    assert {"id": str(account_id("rosa")), "by": "github"} == act["person"]


async def test_what_is_asked_of_github_is_little_and_tied_to_this_browser(place: Place) -> None:
    async with asking(place.bridge) as client:
        begun = await client.get("/sign-in/github")
        told = parse_qs(urlsplit(begun.headers["location"]).query)
        assert (["read:org"], [BACK]) == (told["scope"], told["redirect_uri"])
        assert (["S256"], 43) == (told["code_challenge_method"], len(told["code_challenge"][0]))
        again = parse_qs(urlsplit((await client.get("/sign-in/github")).headers["location"]).query)
        assert told["state"] != again["state"]
        assert told["code_challenge"] != again["code_challenge"]
        assert CLIENT_SECRET not in begun.headers["location"]


@pytest.mark.parametrize(
    ("login", "told"),
    [
        ("eve", "eve is not an active member of acme"),
        ("mallory", "mallory is not an active member"),
    ],
)
async def test_a_stranger_and_who_was_only_invited_stay_out(
    place: Place, login: str, told: str
) -> None:
    async with asking(place.bridge) as client:
        answer = await place.sign_in(client, login)
        assert 403 == answer.status_code
        assert told in answer.text
        assert 401 == (await client.get("/releases")).status_code


async def test_only_some_teams_may_look(tmp_path: Path, hosted: GitHub) -> None:
    narrow = web(hosted, viewers=["reviewers"])
    urls = {"public_url": HERE, "github": {"url": hosted.oauth.url}}
    async with a_bridge(tmp_path, web={"github": narrow}, **urls) as bridge:
        place = Place(bridge, hosted)
        async with asking(bridge) as client:
            answer = await place.sign_in(client, "dana")
            assert 403 == answer.status_code
            assert "dana is in none of the teams of acme that may look" in answer.text
        hosted.oauth.organization.teams["reviewers"] = {"dana"}
        for login in ("dana", "rosa"):
            async with asking(bridge) as client:
                assert 303 == (await place.sign_in(client, login)).status_code


async def test_a_sign_in_that_another_browser_began_is_refused(place: Place) -> None:
    """Login CSRF: eve's finished sign-in is given to rosa, who has begun none, or her own."""
    async with asking(place.bridge) as attacker:
        begun = await attacker.get("/sign-in/github")
        link = place.authorize(begun.headers["location"], "dana").headers["location"]
    for begins in (False, True):
        async with asking(place.bridge) as client:
            if begins:
                await client.get("/sign-in/github")
            answer = await client.get(link)
            assert 403 == answer.status_code
            assert "not begun here" in answer.text
            assert 401 == (await client.get("/")).status_code
    exchanged = [call.name for call in place.github.calls if "access_token" in call.name]
    assert [] == exchanged, "the code was never even tried"


async def test_a_way_back_counts_once(place: Place) -> None:
    async with asking(place.bridge) as client:
        begun = await client.get("/sign-in/github")
        link = place.authorize(begun.headers["location"], "rosa").headers["location"]
        assert 303 == (await client.get(link)).status_code
        answer = await client.get(link)
        assert 403 == answer.status_code


async def test_a_code_that_was_caught_on_its_way_is_worth_nothing(place: Place) -> None:
    """PKCE: eve puts rosa's code beside her own state, and does not know rosa's verifier."""
    async with asking(place.bridge) as rosa, asking(place.bridge) as eve:
        begun = await rosa.get("/sign-in/github")
        code = parse_qs(
            urlsplit(place.authorize(begun.headers["location"], "rosa").headers["location"]).query
        )["code"][0]
        state = parse_qs(urlsplit((await eve.get("/sign-in/github")).headers["location"]).query)[
            "state"
        ][0]
        answer = await eve.get(f"{BACK}?code={code}&state={state}")
        assert 403 == answer.status_code
        assert "bad_verification_code" in answer.text


async def test_a_sign_in_is_begun_and_ended_within_ten_minutes(place: Place) -> None:
    now = NOW
    place.bridge.clock = lambda: now
    async with asking(place.bridge) as client:
        begun = await client.get("/sign-in/github")
        link = place.authorize(begun.headers["location"], "rosa").headers["location"]
        now = NOW + timedelta(minutes=10)
        assert 403 == (await client.get(link)).status_code


@pytest.mark.parametrize(
    ("query", "status", "told"),
    [
        ("error=access_denied&state={state}", 403, "access_denied"),
        ("error=<script>&state={state}", 403, "an error"),
        ("error=access_denied", 403, "not begun here"),
        ("state={state}", 403, "not begun here"),
        ("", 403, "not begun here"),
        ("code=made-up", 403, "not begun here"),
        ("code=made-up&state={state}x", 403, "not begun here"),
        ("code=made-up&state=", 403, "not begun here"),
        ("code=made-up&state={state}", 403, "bad_verification_code"),
        ("code=%00%ff&state={state}", 403, "bad_verification_code"),
        ("code=a&code=b&state={state}&state=x", 403, "not begun here"),
    ],
)
async def test_whatever_comes_back_is_answered_in_words(
    place: Place, query: str, status: int, told: str
) -> None:
    async with asking(place.bridge) as client:
        begun = await client.get("/sign-in/github")
        state = parse_qs(urlsplit(begun.headers["location"]).query)["state"][0]
        answer = await client.get(f"{BACK}?{query.format(state=state)}")
        assert status == answer.status_code
        assert told in answer.text
        assert "<script>" not in answer.text
        assert 401 == (await client.get("/")).status_code


async def test_a_person_who_says_no_at_github_is_asked_again(place: Place) -> None:
    async with asking(place.bridge) as client:
        answer = await place.sign_in(client, "")
        assert 403 == answer.status_code
        assert "access_denied" in answer.text
        assert 'href="/sign-in/github?next=/releases"' in answer.text


@pytest.mark.parametrize("operation", ["userToken", "user", "membership", "teamMembership"])
@pytest.mark.parametrize("status", [500, 401, 418, 200])
async def test_a_github_that_is_away_or_odd_lets_nobody_in(
    place: Place, operation: str, status: int
) -> None:
    async with asking(place.bridge) as client:
        begun = await client.get("/sign-in/github")
        link = place.authorize(begun.headers["location"], "rosa").headers["location"]
        odd = Fault("refuse", status, {"made": "up"})
        place.github.before = lambda name: odd if name == operation else None
        answer = await client.get(link)
        assert 503 == answer.status_code
        assert "GitHub cannot be asked who you are" in answer.text
        assert 401 == (await client.get("/")).status_code


@pytest.mark.parametrize("operation", ["membership", "teamMembership"])
async def test_what_the_application_may_not_see_counts_as_no(place: Place, operation: str) -> None:
    forbidden = Fault("refuse", 403, {"message": "Although you appear to …"})
    place.github.before = lambda name: forbidden if name == operation else None
    async with asking(place.bridge) as client:
        answer = await place.sign_in(client, "rosa")
        assert (403 if operation == "membership" else 303) == answer.status_code
        tried = await client.post("/everything/pause", data={"reason": "x"}, headers=OWN_PAGE)
        assert (401 if operation == "membership" else 403) == tried.status_code


async def test_a_wrong_client_secret_is_said_without_telling_it(place: Place) -> None:
    place.github.oauth.client_secret = "made-up-and-rotated-since"
    async with asking(place.bridge) as client:
        answer = await place.sign_in(client, "rosa")
        assert 403 == answer.status_code
        assert "incorrect_client_credentials" in answer.text
        assert CLIENT_SECRET not in answer.text


@pytest.mark.parametrize(
    ("api", "web_address"),
    [
        ("https://api.github.com", "https://github.com"),
        ("https://api.github.com/", "https://github.com"),
        ("https://github.example/api/v3", "https://github.example"),
        ("https://github.example:8443/api/v3/", "https://github.example:8443"),
        ("https://api.acme.ghe.com", "https://acme.ghe.com"),
        ("https://api.github.com.evil.test", "https://api.github.com.evil.test"),
        ("http://127.0.0.1:9", "http://127.0.0.1:9"),
    ],
)
def test_people_are_sent_to_the_github_that_is_configured(api: str, web_address: str) -> None:
    assert web_address == web_of(api)
