"""The pull request's text: what it says, and that nobody outside can make it say anything else."""

import json
import re
from html.parser import HTMLParser

from hypothesis import given
from hypothesis import strategies as st

from bridge.attestation import Provenance
from bridge.facts import CiRun, Facts, Moved
from bridge.markdown import code, link
from bridge.model_card import ModelCard
from bridge.pull_text import Change, body, title
from bridge.rehearsal.github.markdown import html_of
from bridge.rehearsal.github.threads import LONGEST_BODY
from tests.bridge_kit import PACKAGE, pipeline, release

SHAS = [f"{number:040x}" for number in range(40)]
TAGS = {"code", "p", "h3", "strong", "ul", "li", "table", "thead", "tbody", "tr", "th", "td"}
TAGS |= {"details", "summary", "a"}


def card(version: str, **fields: object) -> ModelCard:
    return ModelCard.model_validate(
        {
            "name": PACKAGE,
            "version": version,
            "data": {"source": "kaggle", "rows": 1460, "sha256": "d" * 64},
            "metrics": {"rmse": 100.0, "r2": 0.9},
            "features": [{"name": "LotArea", "type": "number"}],
            "libraries": {"numpy": "2.4.6"},
            **fields,
        }
    )


def change(new: ModelCard | None = None, old: ModelCard | None = None, **fields: object) -> Change:
    known: dict[str, object] = {
        "file": "regression_model-0.1.1-py3-none-any.whl",
        "size": 41234,
        "digest": "sha256:" + "a" * 64,
        "commit": SHAS[0],
        "tag": "v0.1.1",
        "ci": CiRun(system="circleci", job="publish", url="https://ci.test/1"),
        "card": new,
    }
    facts = Facts.model_validate({**known, **fields})
    before = release("0.1.0", Facts(card=old, commit=SHAS[3], tag="v0.1.0")) if old else None
    policy = {"gates": {"rmse": {"may_grow": "2%"}}, "merge": "auto"}
    return Change(
        release=release("0.1.1", facts),
        pipeline=pipeline(policy=policy),
        old="0.1.0",
        before=before,
        page="https://bridge.test/releases/7",
        repository="https://github.test/acme/model-deployment",
        history=[(sha, f"Subject {at}") for at, sha in enumerate(SHAS)],
        chain_head="f" * 64,
    )


def text_of(new: dict[str, object], old: dict[str, object]) -> str:
    return body(change(card("0.1.1", **new), card("0.1.0", **old)))


def test_the_title_says_what_moves() -> None:
    assert "Bump regression-model from 0.1.0 to 0.1.1" == title(change().release, "0.1.0")


def test_the_verdict_comes_first() -> None:
    for metrics, first in (
        ({"rmse": 90.0, "r2": 0.95}, "### ✓ Better than 0.1.0: rmse -10.0%, r2 +5.6%."),
        (
            {"rmse": 101.0, "r2": 0.9},
            "### ▼ Worse than 0.1.0, though no gate forbids it: rmse +1.0%",
        ),
        ({"rmse": 110.0, "r2": 0.9}, "### ✗ Gate broken: rmse grew +10.0% (100 to 110)"),
        ({"r2": 0.9}, "### ✗ Gate not passed: rmse is not on the model card."),
    ):
        assert text_of({"metrics": metrics}, {}).startswith(first)


def test_every_metric_has_its_numbers_and_its_gate() -> None:
    told = text_of({"metrics": {"rmse": 110.0, "mae": 5.0}}, {})
    assert "| metric | 0.1.0 | 0.1.1 | difference | gate |" in told
    assert "| `rmse` | 100 | 110 | +10.0% | ✗ may grow 2% |" in told
    assert "| `mae` | unknown | 5 |  |  |" in told
    assert "| `r2` | 0.9 | unknown |  |  |" in told


def test_what_else_changes_is_told() -> None:
    new: dict[str, object] = {
        "data": {"source": "kaggle", "rows": 2000, "sha256": "e" * 64},
        "features": [{"name": "Pool", "type": "number"}],
        "libraries": {"numpy": "2.5.0"},
    }
    told = text_of(new, {})
    assert "2,000 rows, `sha256:eeeeeeeeeeee…`, **not the same as before**" in told
    assert "**added** `Pool`; **removed** `LotArea`" in told
    assert "`numpy` `2.4.6` → `2.5.0`" in told


def test_the_commits_since_the_last_version_are_listed() -> None:
    told = text_of({}, {})
    assert "Commits since the last version: 3" in told
    assert [f"Subject {at}" for at in range(3)] == re.findall(r"Subject \d+", told)
    assert f"/compare/{SHAS[3]}...{SHAS[0]}" in told


def test_proof_and_consequences_are_told() -> None:
    told = text_of({}, {})
    for words in (
        "`regression_model-0.1.1-py3-none-any.whl`, 41 kB",
        "sha256:" + "a" * 64,
        "[`publish`](https://ci.test/1)",
        "The bridge merges it when every check is green.",
        "puts back version 0.1.0",
        "`heroku rollback --app house-prices-api`",
        "Close this pull request",
        "audit head `" + "f" * 64 + "`",
    ):
        assert words in told


def test_what_others_have_found_out_is_shown() -> None:
    more = {
        "moved": [Moved(name="numpy", old="1", new="2"), Moved(name="new-one", new="3")],
        "resolved_for": "3.13",
        "forecast_mb": 321,
        "public_twin": "9.0",
        "provenance": Provenance(
            mode="record",
            trust="0",
            verdict="proven",
            code="attested",
            sentence="CircleCI vouches for it.",
        ),
    }
    told = body(change(card("0.1.1"), card("0.1.0"), **more))
    assert "`numpy` `1` → `2`, `new-one` – → `3`" in told
    assert "resolved beforehand for Python `3.13`, 321 MB of wheels; Heroku takes 500 MB" in told
    assert "The public index has regression-model 9.0, which is not ours" in told
    assert "CircleCI vouches for it." in told


def test_without_a_card_nothing_is_claimed() -> None:
    plain = change()
    told = body(Change(**{**vars(plain), "pipeline": pipeline(), "history": []}))
    assert told.startswith("### ? Nobody can say how good it is: the wheel carries no model card.")
    assert "puts back nothing: none was verified yet" in told
    assert "Commits since" not in told


def test_the_marker_is_for_programs_and_is_not_shown() -> None:
    told = body(change(card("0.1.1"), card("0.1.0")))
    found = re.search(r"<!-- bridge (\{.*?\}) -->", told)
    assert found
    said = json.loads(found[1])
    assert (7, "sha256:" + "a" * 64, "f" * 64) == (
        said["release"],
        said["digest"],
        said["chain_head"],
    )
    assert "<!--" not in html_of(told)
    assert "chain_head" not in html_of(told)


class Seen(HTMLParser):
    """What a browser would make of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.links: set[str] = set()
        self.open: list[str] = []
        self.bare = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.open.append(tag)
        self.links |= {value or "" for name, value in attrs if name in ("href", "src")}

    def handle_endtag(self, tag: str) -> None:
        self.open = self.open[: -self.open[::-1].index(tag) - 1]

    def handle_data(self, data: str) -> None:
        if "code" not in self.open:
            self.bare += data


EVIL = [
    "@octocat",
    "](https://evil.test)",
    "![x](https://evil.test/x.png)",
    "<img src=https://evil.test>",
    "`` ` @octocat",
    "a|b\\|@octocat|",
    "x\n\n# @octocat\n<script>",
    "--> <details>",
    "\u202e@octocat\u0000",
    "https://evil.test",
    "acme/model#1",
    "\\",
    "`",
    " ",
    "",
]
evil = st.one_of(st.sampled_from(EVIL), st.lists(st.sampled_from(EVIL)).map("".join), st.text())
numbers = st.floats(allow_nan=False, allow_infinity=False)
cards = st.builds(
    lambda source, sha, rows, metrics, features, libraries: card(
        "0.1.1",
        data={"source": source, "rows": rows, "sha256": sha},
        metrics=metrics,
        features=[{"name": name, "type": "number"} for name in features],
        libraries=libraries,
    ),
    evil,
    evil,
    st.integers(0, 10**9),
    st.dictionaries(evil, numbers, max_size=5),
    st.lists(evil, max_size=5),
    st.dictionaries(evil, evil, max_size=5),
)


@given(cards, cards, evil, evil, evil, evil)
def test_words_from_outside_only_show(
    new: ModelCard, old: ModelCard, tag: str, job: str, url: str, subject: str
) -> None:
    told = change(
        new, old, tag=tag, ci=CiRun(system="c", job=job, url=url), moved=[Moved(name=tag, new=job)]
    )
    history = [(sha, subject) for sha in SHAS]
    page = html_of(body(Change(**{**vars(told), "history": history})))
    seen = Seen(page)
    assert seen.tags <= TAGS
    assert "octocat" not in seen.bare
    assert "evil" not in seen.bare
    starts = ("https://bridge.test/", "https://github.test/acme/", "https://evil.test")
    assert all(one.startswith(starts) for one in seen.links)
    assert url == "https://evil.test" or not any("evil" in one for one in seen.links)


def test_the_largest_text_fits_into_github() -> None:
    long = ["`|<" * 100 + str(at) for at in range(500)]
    new, old = (
        card(
            version,
            metrics=dict.fromkeys(long, number),
            features=[{"name": f"{version}{name}", "type": "t"} for name in long],
            libraries=dict.fromkeys(long, version * 100),
        )
        for version, number in (("0.1.1", 1.23456e-300), ("0.1.0", -9.87654e300))
    )
    moved = [Moved(name=name, old=name, new=name) for name in long]
    told = body(change(new, old, moved=moved, file=long[0], public_twin=long[0], tag=long[0]))
    assert len(told) < LONGEST_BODY / 2


def test_code_is_one_line_without_what_ends_it() -> None:
    assert "`a'b¦c�d`" == code("a`b|c\nd")
    assert "`?`" == code("  ")
    assert "`" + "x" * 59 + "…`" == code("x" * 100)


def test_only_a_plain_address_becomes_a_link() -> None:
    for url in (
        "javascript:alert(1)",
        "https://a.test/x)y",
        "https://u:p@a.test/",
        "//a.test",
        None,
    ):
        assert "`run`" == link("run", url)
    assert "[`run`](https://a.test/x?y=1#z)" == link("run", "https://a.test/x?y=1#z")
