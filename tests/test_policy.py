"""What bridge.toml may say, and what follows from it."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from bridge.configuration import CiJob, Duration, Policy, Verification, inside
from bridge.errors import Reason
from bridge.policy import ASK_LATE, ASK_SOON, Ruling, may_merge, next_look
from tests.bridge_kit import NOW, pipeline

GREEN = Ruling("success", Reason("model_better", "It is better."))


class Span(BaseModel):
    it: Duration


@pytest.mark.parametrize(
    ("said", "seconds"),
    [("200ms", 0.2), ("2s", 2), ("1.5s", 1.5), ("10m", 600), ("3h", 10800), ("7d", 604800)],
)
def test_a_duration_reads_as_people_write_it(said: str, seconds: float) -> None:
    assert timedelta(seconds=seconds) == Span.model_validate({"it": said}).it


@pytest.mark.parametrize("said", ["", "s", "10", "10 m", "-1s", "1w", "ten", "1e3s", "1m30s"])
def test_another_spelling_is_no_duration(said: str) -> None:
    with pytest.raises(ValidationError):
        Span.model_validate({"it": said})


def test_a_duration_beyond_all_time_is_an_error_of_the_field() -> None:
    with pytest.raises(ValidationError):
        Span.model_validate({"it": "99999999999999d"})


@given(st.floats(-10, 1e6), st.floats(0, 1e5))
def test_one_asks_soon_at_first_and_never_later_than_a_minute(age: float, more: float) -> None:
    now = NOW + timedelta(seconds=age)
    wait = next_look(NOW, now) - now
    assert ASK_SOON <= wait <= ASK_LATE
    later = now + timedelta(seconds=more)
    assert wait <= next_look(NOW, later) - later


@pytest.mark.parametrize(
    ("merge", "checks", "code"),
    [
        ("auto", "SUCCESS", None),
        ("auto", "PENDING", "waiting_for_checks"),
        ("auto", "EXPECTED", "waiting_for_checks"),
        ("auto", None, "waiting_for_checks"),
        ("auto", "SOMETHING_NEW", "waiting_for_checks"),
        ("auto", "FAILURE", "checks_failed"),
        ("auto", "ERROR", "checks_failed"),
        ("human", "SUCCESS", "waiting_for_reviewer"),
        ("human", None, "waiting_for_reviewer"),
        ("human", "FAILURE", "checks_failed"),
    ],
)
def test_the_bridge_merges_only_what_is_green_and_allowed(
    merge: str, checks: str | None, code: str | None
) -> None:
    reason = may_merge(Policy.model_validate({"merge": merge}), 7, checks, None, GREEN)
    assert code == (reason.code if reason else None)
    assert reason is None or "#7" in reason.sentence


@pytest.mark.parametrize("merge", ["auto", "human"])
def test_what_a_reviewer_wants_changed_is_not_merged(merge: str) -> None:
    policy = Policy.model_validate({"merge": merge})
    reason = may_merge(policy, 7, "SUCCESS", "CHANGES_REQUESTED", GREEN)
    assert reason is not None
    assert "changes_requested" == reason.code


def test_a_person_merges_unless_the_file_says_otherwise() -> None:
    assert "human" == pipeline().policy.merge
    assert (3, timedelta(seconds=2), timedelta(minutes=10)) == (
        Verification().matches,
        Verification().every,
        Verification().within,
    )


@pytest.mark.parametrize(
    "fields",
    [
        {"name": "House Prices"},
        {"name": ""},
        {"repository": "acme"},
        {"repository": "acme/model/deployment"},
        {"repository": "https://github.test/acme/model"},
        {"deploy": "later"},
        {"policy": {"merge": "sometimes"}},
        {"policy": {"verify": {"matches": 0}}},
        {"policy": {"merg": "auto"}},
        {"requirement": "a typing mistake"},
        {"branch_prefix": "bridge/"},
    ],
)
def test_a_pipeline_that_makes_no_sense_is_refused(fields: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        pipeline(**fields)


def test_a_package_has_one_spelling_and_one_branch_a_version() -> None:
    found = pipeline(package="Regression_Model")
    assert "regression-model" == found.package
    assert "bridge/house-prices/regression-model-0.1.1" == found.branch_for("0.1.1")


def test_two_pipelines_of_one_package_have_a_branch_each() -> None:
    one, other = (pipeline(name=name).branch_for("0.1.1") for name in ("house-prices", "rents"))
    assert one != other


@pytest.mark.parametrize("field", ["index", "api_url"])
@pytest.mark.parametrize(
    ("said", "why"),
    [
        ("ftp://index.test/acme/", "begins with https"),
        ("index.test/acme/", "begins with https"),
        ("https:///acme/", "names a host"),
        ("", "begins with https"),
        ("https://made-up-token@index.test/", "no user or password"),
        ("https://rosa:made-up-word@index.test/", "no user or password"),
        ("https://:made-up-word@index.test/", "no user or password"),
    ],
)
def test_an_address_names_a_host_and_no_password(field: str, said: str, why: str) -> None:
    with pytest.raises(ValidationError, match=why) as error:
        pipeline(**{field: said})
    assert "made-up" not in str([one["msg"] for one in error.value.errors()])


@pytest.mark.parametrize("said", ["http://localhost:8000", "https://index.test/acme/"])
def test_an_address_is_kept_as_it_was_said(said: str) -> None:
    assert said == pipeline(index=said).index


@pytest.mark.parametrize(
    ("project", "slug"),
    [
        ("gh/acme/model", "github/acme/model"),
        ("github/acme/model", "github/acme/model"),
        ("bb/acme/model", "bitbucket/acme/model"),
        ("circleci/9f3/abc", "circleci/9f3/abc"),
    ],
)
def test_a_project_is_spelled_as_webhooks_do(project: str, slug: str) -> None:
    assert slug == CiJob(project=project, workflow="w").slug


@pytest.mark.parametrize(
    "path",
    [
        "requirements.txt",
        "api/requirements.in",
        "a b/requirements-prod.txt",
        "services/api/pyproject.toml",
    ],
)
def test_a_file_of_the_repository_may_hold_a_pin(path: str) -> None:
    assert path == inside(path)


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/etc/requirements.txt",
        "../requirements.txt",
        "api/../../requirements.txt",
        "./requirements.txt",
        "api//requirements.txt",
        "api/requirements.txt/",
        ".github/requirements.txt",
        ".circleci/requirements.txt",
        "api/.git/requirements.txt",
        "api\\requirements.txt",
        "C:/requirements.txt",
        "api/require\nments.txt",
        "api/require\0ments.txt",
        "setup.py",
        "api/app/main.py",
        "Procfile",
        "poetry.lock",
        "pyproject.toml.bak",
    ],
)
def test_a_path_that_leads_elsewhere_holds_no_pin(path: str) -> None:
    with pytest.raises(ValueError, match=r"^a (path|requirements file)"):
        inside(path)


def test_the_deployed_file_is_the_first_and_named_once() -> None:
    named = pipeline(requirements="a.txt", also=("a.in", "a.txt", "pyproject.toml"))
    assert ("a.txt", "a.in", "pyproject.toml") == named.files
    with pytest.raises(ValidationError):
        pipeline(also=("../a.txt",))
