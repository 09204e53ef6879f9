"""Parsers: what each sender's body says in our words, whatever else stands in it."""

import contextlib
import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import JsonValue

import bridge.circleci.webhook as circleci
import bridge.github.webhook as github
import bridge.heroku.webhook as heroku
import bridge.publisher.webhook as publisher
from bridge.errors import Forged, Malformed
from bridge.event import AppChanged, Nothing, Published, RepositoryChanged, WorkflowEnded
from bridge.inbox import published_by
from bridge.sources import SOURCES
from tests.bridge_kit import pipeline

Json = dict[str, JsonValue]
WORKFLOW: Json = {
    "id": "3888f21b-eaa7-38e3-8f3d-75a63bba8895",
    "type": "workflow-completed",
    "happened_at": "2026-11-22T22:49:34.317Z",
    "webhook": {"id": "x", "name": "Bridge"},
    "project": {"id": "p", "name": "model-deployment", "slug": "github/acme/model-deployment"},
    "organization": {"id": "o", "name": "acme"},
    "workflow": {
        "id": "w",
        "name": "regression-model",
        "status": "success",
        "url": "https://ci.test/w",
    },
    "pipeline": {
        "id": "i",
        "number": 130,
        "vcs": {"tag": "v0.1.1", "revision": "ab" * 20, "commit": {"subject": "Release"}},
    },
}
PUBLISHED: Json = {
    "type": "model.published",
    "timestamp": "2026-11-23T09:00:00Z",
    "data": {
        "package": "regression-model",
        "version": "0.1.1",
        "files": [
            {"filename": "regression_model-0.1.1-py3-none-any.whl", "sha256": "a" * 64},
            {"filename": "regression_model-0.1.1.tar.gz", "sha256": "b" * 64, "size": 9},
        ],
        "commit": "ab" * 20,
        "tag": "v0.1.1",
        "ci": {"system": "circleci", "job": "publish", "more": 1},
    },
}
BUILD: Json = {
    "id": "evt-1",
    "resource": "build",
    "action": "update",
    "published_at": "2026-11-23T09:00:00Z",
    "data": {"id": "b", "status": "succeeded", "app": {"id": "a", "name": "house-prices-api"}},
}
JOB = {"project": "gh/acme/model-deployment", "workflow": "regression-model"}


def raw(body: Json, **changes: JsonValue) -> bytes:
    """The body with other values; a value of None takes the field away."""
    told = {**body, **changes}
    return json.dumps({name: value for name, value in told.items() if value is not None}).encode()


def inside(body: Json, name: str, **changes: JsonValue) -> Json:
    """The body with other values in one of its objects."""
    part = body[name]
    assert isinstance(part, dict)
    return {**body, name: {**part, **changes}}


def test_a_workflow_that_ended_tells_its_tag_and_commit() -> None:
    event = circleci.parse((), raw(WORKFLOW))
    assert isinstance(event, WorkflowEnded)
    assert datetime(2026, 11, 22, 22, 49, 34, 317000, UTC) == event.occurred_at
    assert ("v0.1.1", "ab" * 20, True) == (event.tag, event.commit, event.succeeded)
    assert "https://ci.test/w" == event.ci.url


def test_a_project_behind_a_github_app_tells_its_tag_in_the_trigger() -> None:
    app: JsonValue = {
        "id": "i",
        "trigger_parameters": {"git": {"tag": "v0.1.1", "checkout_sha": "cd" * 20}},
    }
    event = circleci.parse((), raw(WORKFLOW, pipeline=app))
    assert isinstance(event, WorkflowEnded)
    assert ("v0.1.1", "cd" * 20) == (event.tag, event.commit)


@pytest.mark.parametrize("status", ["failed", "error", "canceled", "unauthorized", "new-one", None])
def test_only_success_is_success(status: str | None) -> None:
    event = circleci.parse((), raw(inside(WORKFLOW, "workflow", status=status)))
    assert isinstance(event, WorkflowEnded)
    assert not event.succeeded
    assert published_by(pipeline(circleci=JOB), event) is None


@pytest.mark.parametrize("kind", ["job-completed", "ping", "", None, 7])
def test_circlecis_other_news_is_nothing(kind: JsonValue) -> None:
    assert isinstance(circleci.parse((), raw(WORKFLOW, type=kind)), Nothing)


@pytest.mark.parametrize("field", ["happened_at", "project", "workflow", "pipeline"])
def test_a_workflow_without_its_facts_is_malformed(field: str) -> None:
    with pytest.raises(Malformed):
        circleci.parse((), raw(WORKFLOW, **{field: None}))


@pytest.mark.parametrize(
    ("tag", "version"),
    [
        ("v0.1.1", "0.1.1"),
        ("0.1.1", "0.1.1"),
        ("v1.0rc1", "1.0rc1"),
        ("v1.2.3-rc.1", "1.2.3rc1"),
        ("latest", None),
        ("v", None),
        ("", None),
        (None, None),
    ],
)
def test_the_tag_tells_the_version(tag: str | None, version: str | None) -> None:
    vcs: JsonValue = {"vcs": {"tag": tag, "revision": "ab" * 20}}
    event = circleci.parse((), raw(WORKFLOW, pipeline=vcs))
    assert isinstance(event, WorkflowEnded)
    found = published_by(pipeline(circleci=JOB), event)
    assert version == (found.version if found else None)


@pytest.mark.parametrize(
    "job",
    [
        None,
        {**JOB, "workflow": "other"},
        {**JOB, "project": "gh/acme/other"},
        {**JOB, "project": "bb/acme/model-deployment"},
    ],
)
def test_another_project_or_workflow_publishes_nothing_here(job: dict[str, str] | None) -> None:
    event = circleci.parse((), raw(WORKFLOW))
    assert isinstance(event, WorkflowEnded)
    assert published_by(pipeline(circleci=job), event) is None


@pytest.mark.parametrize("field", ["pull_request", "check_suite", "check_run", "commits", "sha"])
def test_githubs_news_names_the_repository(field: str) -> None:
    body = raw({"repository": {"full_name": "acme/model-deployment", "id": 1}}, **{field: []})
    assert RepositoryChanged(repository="acme/model-deployment") == github.parse((), body)


@pytest.mark.parametrize(
    "body",
    [
        {"zen": "Keep it logically awesome.", "hook": {"id": 1}, "repository": {"full_name": "a"}},
        {"repository": {"full_name": "acme/x"}, "starred_at": None, "action": "created"},
        {"installation": {"id": 1}},
    ],
)
def test_githubs_other_news_is_nothing(body: Json) -> None:
    assert isinstance(github.parse((), raw(body)), Nothing)


def test_an_odd_repository_is_malformed() -> None:
    for odd in (None, "acme", {"name": "x"}, {"full_name": 3}):
        with pytest.raises(Malformed):
            github.parse((), json.dumps({"repository": odd, "sha": "ab"}).encode())


def test_githubs_delivery_id_is_its_guid() -> None:
    guid = "72d3162e-cc78-11e3-81ab-4c9367dc0958"
    assert guid == github.identify([("X-GitHub-Delivery", guid)], b"{}")
    for odd in ("", "x" * 65, "a b", "a\n", "é", "../x"):
        with pytest.raises(Forged):
            github.identify([("X-GitHub-Delivery", odd)], b"{}")
    with pytest.raises(Forged):
        github.identify([], b"{}")


@pytest.mark.parametrize("resource", ["build", "release"])
def test_herokus_news_names_the_app(resource: str) -> None:
    event = heroku.parse((), raw(BUILD, resource=resource))
    at = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
    assert AppChanged(app="house-prices-api", occurred_at=at) == event
    assert "evt-1" == heroku.identify((), raw(BUILD))


def test_herokus_other_news_is_nothing_and_odd_news_malformed() -> None:
    assert isinstance(heroku.parse((), raw(BUILD, resource="dyno")), Nothing)
    with pytest.raises(Malformed):
        heroku.parse((), raw(BUILD, data={"app": {"id": "only"}}))


def test_an_announcement_speaks_of_the_wheel() -> None:
    event = publisher.parse((), raw(PUBLISHED))
    assert isinstance(event, Published)
    assert ("regression-model", "0.1.1") == (event.package, event.version)
    assert "regression_model-0.1.1-py3-none-any.whl" == event.file
    assert "sha256:" + "a" * 64 == event.digest
    assert event.ci is not None
    assert "publish" == event.ci.job


def test_an_announcement_may_have_no_wheel() -> None:
    files: JsonValue = [{"filename": "regression_model-0.1.1.tar.gz", "sha256": "b" * 64}]
    event = publisher.parse((), raw(inside(PUBLISHED, "data", files=files)))
    assert isinstance(event, Published)
    assert (None, None) == (event.file, event.digest)


@pytest.mark.parametrize(
    "data",
    [
        {"version": "latest"},
        {"version": ""},
        {"version": 1},
        {"package": None},
        {"files": None},
        {"files": [{"filename": "a.whl", "sha256": "a"}, {"filename": "b.whl", "sha256": "b"}]},
        {"files": [{"filename": "a.whl"}]},
        {"ci": {"job": "no system"}},
    ],
)
def test_an_odd_announcement_is_malformed(data: Json) -> None:
    with pytest.raises(Malformed):
        publisher.parse((), raw(inside(PUBLISHED, "data", **data)))


@pytest.mark.parametrize("version", ["9" * 5000, f"1+{'9' * 5000}"], ids=["release", "local part"])
def test_a_version_that_python_does_not_count_to_is_malformed(version: str) -> None:
    """`int` takes 4,300 digits at most: https://docs.python.org/3/library/stdtypes.html"""
    with pytest.raises(Malformed, match="is not a version"):
        publisher.parse((), raw(inside(PUBLISHED, "data", version=version)))
    event = circleci.parse((), raw(WORKFLOW, pipeline={"vcs": {"tag": f"v{version}"}}))
    assert isinstance(event, WorkflowEnded)
    job = {"project": "gh/acme/model-deployment", "workflow": "regression-model"}
    assert published_by(pipeline(circleci=job), event) is None


@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
def test_a_moment_that_is_in_no_calendar_is_malformed(moment: str) -> None:
    for parse, body in (
        (publisher.parse, raw(PUBLISHED, timestamp=moment)),
        (circleci.parse, raw(WORKFLOW, happened_at=moment)),
        (heroku.parse, raw(BUILD, published_at=moment)),
    ):
        with pytest.raises(Malformed):
            parse((), body)


def test_a_moment_without_a_zone_is_in_utc() -> None:
    event = publisher.parse((), raw(PUBLISHED, timestamp="2026-11-23T09:00:00"))
    assert datetime(2026, 11, 23, 9, tzinfo=UTC) == event.occurred_at


@pytest.mark.parametrize("odd", ["\ud800", "x" * 5000, ["\0"], {"\ud800": "x" * 5000}])
def test_what_we_do_not_know_is_said_shortly_and_in_ascii(odd: JsonValue) -> None:
    for parse, body in (
        (publisher.parse, raw(PUBLISHED, type=odd)),
        (circleci.parse, raw(WORKFLOW, type=odd)),
        (heroku.parse, raw(BUILD, resource=odd)),
    ):
        event = parse((), body)
        assert isinstance(event, Nothing)
        assert event.because.isascii()
        assert len(event.because) < 100


@pytest.mark.parametrize("digest", ["", "not a digest", "A" * 64, "a" * 63, "sha256:" + "a" * 64])
def test_what_is_no_sha256_is_malformed_or_put_right(digest: str) -> None:
    """It is compared with a digest of 64 lower-case digits, and a difference is final."""
    files: JsonValue = [{"filename": "m-0.1.1-py3-none-any.whl", "sha256": digest}]
    body = raw(inside(PUBLISHED, "data", files=files))
    told = "sha256:" + "a" * 64
    with contextlib.suppress(Malformed):
        event = publisher.parse((), body)
        assert isinstance(event, Published)
        assert told == event.digest


def test_another_type_of_announcement_is_nothing() -> None:
    assert isinstance(publisher.parse((), raw(PUBLISHED, type="model.trained")), Nothing)


def test_the_publishers_id_is_the_signed_one() -> None:
    assert "msg-1" == publisher.identify([("webhook-id", "msg-1")], b"{}")
    with pytest.raises(Malformed):
        publisher.identify([("webhook-id", "msg-1")], b"[]")


values: st.SearchStrategy[JsonValue] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
fields = st.sampled_from(
    ["id", "type", "resource", "data", "repository", "sha", "workflow", "pipeline", "project"]
)


@given(
    st.sampled_from(sorted(SOURCES)),
    st.sampled_from([WORKFLOW, PUBLISHED, BUILD, {"repository": {"full_name": "a/b"}, "sha": "a"}]),
    st.dictionaries(fields, values, max_size=3),
)
def test_any_body_is_an_event_or_malformed(source: str, body: Json, changes: Json) -> None:
    with contextlib.suppress(Malformed):
        event = SOURCES[source].parse((), json.dumps({**body, **changes}).encode())
        assert event.model_dump_json()


@given(st.sampled_from(sorted(SOURCES)), st.binary(max_size=200))
def test_any_bytes_are_an_event_or_malformed(source: str, body: bytes) -> None:
    with contextlib.suppress(Malformed):
        assert SOURCES[source].parse((), body)
