"""What the documents say is there, and what is there is documented."""

import json
import re
import tomllib
from pathlib import Path

from pydantic import BaseModel

from bridge.approvals import Approvals
from bridge.cli import app
from bridge.configuration import CiJob, Pipeline, Policy, Target, Tell, Verification
from bridge.facts import Facts
from bridge.gates import Gate
from bridge.notice import About
from bridge.notify.letter import of_line
from bridge.provenance.statement import Wheel, statement
from bridge.provenance.trust import CircleCi, Trust
from bridge.release import Evidence, Transition
from bridge.settings import GitHubSettings, HerokuSettings, IndexSettings, WebhookSecrets
from bridge.sign_in import GitHubSignIn, ProxySignIn, Web
from tests.bridge_kit import NOW, release

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
CONFIGURATION = (ROOT / "docs" / "configuration.md").read_text()
NESTED: dict[str, type[BaseModel]] = {
    "WEBHOOK_SECRETS": WebhookSecrets,
    "GITHUB": GitHubSettings,
    "HEROKU": HerokuSettings,
    "INDEX": IndexSettings,
}


def test_every_make_target_of_the_readme_exists() -> None:
    makefile = (ROOT / "Makefile").read_text()
    named = set(re.findall(r"make ([a-z]+)", README + (ROOT / "CONTRIBUTING.md").read_text()))
    assert {"demo", "test", "bench"} <= named
    assert named <= set(re.findall(r"^([a-z]+):", makefile, re.MULTILINE))


def test_every_command_of_the_readme_exists() -> None:
    named = set(re.findall(r"^bridge ([a-z]+)", README, re.MULTILINE))
    commands = {
        command.name or command.callback.__name__
        for command in app.registered_commands
        if command.callback
    }
    groups = {group.name for group in app.registered_groups}
    assert named
    assert named <= commands | groups


def test_every_link_of_the_readme_leads_somewhere() -> None:
    links = [link for link in re.findall(r"\]\(([^)#]+)\)", README) if "://" not in link]
    assert links
    assert [] == [link for link in links if not (ROOT / link).exists()]


def test_the_numbers_of_the_readme_are_those_of_the_tests() -> None:
    _, _, told = README.partition("## How it is tested")
    _, _, soak = told.partition("`make soak`")
    source = "".join(path.read_text() for path in (ROOT / "tests" / "faults").glob("*.py"))
    defaults = dict(re.findall(r'environ.get\("FAULTS_(\w+)", "(\d+)"\)', source))
    assert len(defaults) > 6
    named = set(re.findall(r"\d+", told.partition("\n## ")[0]))
    assert {} == {name: count for name, count in defaults.items() if count not in named}
    recipe = dict(re.findall(r"FAULTS_(\w+)=(\d+)", (ROOT / "Makefile").read_text()))
    large = soak.partition("```")[0].replace(",", "")
    for name in ("KILLS", "LOSSES", "EXAMPLES", "STEPS"):
        assert recipe[name] in large, name


def test_every_field_of_a_pipeline_is_documented() -> None:
    fields = {*Pipeline.model_fields, *Policy.model_fields, *Verification.model_fields}
    fields |= {"from", "to", "tz", *Gate.model_fields, *Approvals.model_fields}
    fields |= CiJob.model_fields.keys() - {"publish_job"}
    fields |= {*Trust.model_fields, *CircleCi.model_fields}
    assert set() == {field for field in fields if not re.search(rf"\b{field}\b", CONFIGURATION)}


def test_every_variable_is_documented_and_every_documented_one_exists() -> None:
    exist = {
        f"BRIDGE_{group}__{field}".upper()
        for group, model in NESTED.items()
        for field in model.model_fields
    } | {"BRIDGE_CONFIG", "BRIDGE_DATABASE_URL", "BRIDGE_PUBLIC_INDEX"}
    exist |= {"BRIDGE_TARGET_URLS__NAME", "BRIDGE_TARGET_SECRETS__NAME"}
    exist |= {"BRIDGE_WEB__VIEWER_TOKENS__NAME", "BRIDGE_WEB__OPERATOR_TOKENS__NAME"}
    exist |= {"BRIDGE_WEB__GITHUB__CLIENT_SECRET"}
    documented = set(re.findall(r"\bBRIDGE_[A-Z_]+", CONFIGURATION))
    assert exist == documented


def test_the_configuration_of_the_document_is_valid() -> None:
    block = re.search(r"```toml\n(.*?)```", CONFIGURATION, re.DOTALL)
    assert block is not None
    told = tomllib.loads(block.group(1))
    pipeline = Pipeline.model_validate(told["pipeline"][0])
    assert "house-prices" == pipeline.name


def test_the_kinds_of_attestations_are_documented() -> None:
    text = (ROOT / "docs" / "provenance.md").read_text()
    assert statement(Wheel("regression-model", "0.1.1", "", "sha256:SHA256")).decode() in text
    for word in ("ed25519", "sigstore", "circleci", "proven", "refuted", "absent", "unchecked"):
        assert f"`{word}`" in text, word


def test_what_may_be_told_and_how_is_documented() -> None:
    text = (ROOT / "docs" / "notifications.md").read_text()
    for word in (*About, *Tell.model_fields, *Target.model_fields):
        assert re.search(rf"`?\b{word}\b", text), word
    shown = re.search(r"```json\n(.*?)```", text, re.DOTALL)
    assert shown is not None
    told = of_line(About.VERIFIED, line(), release("0.1.1", Facts()), "https://bridge.example.com")
    made, example = json.loads(told), json.loads(shown.group(1))
    assert made.keys() == example.keys()
    assert [*made["data"]] == [*example["data"]]
    pipeline = re.search(r"notify = \[.*?\n\]", text, re.DOTALL)
    assert pipeline is not None
    for tell in tomllib.loads(pipeline.group())["notify"]:
        Tell.model_validate(tell)


def test_who_may_is_documented() -> None:
    text = (ROOT / "docs" / "sign_in.md").read_text()
    fields = {*Web.model_fields, *GitHubSignIn.model_fields, *ProxySignIn.model_fields}
    assert set() == {field for field in fields if field not in text.lower()}
    told = re.search(r"```toml\n(.*?)```", text, re.DOTALL)
    assert told is not None
    web = tomllib.loads(told.group(1))["web"]
    web["github"]["client_secret"] = "made-up"
    Web.model_validate(web)


def line() -> Transition:
    return Transition(
        seq=1,
        release_id=7,
        kind="move",
        from_stage="deployed",
        to_stage="verified",
        code="verified",
        sentence="It is.",
        actor="bridge",
        occurred_at=NOW,
        recorded_at=NOW,
        evidence=Evidence({}),
        prev_hash="",
        hash="",
    )
