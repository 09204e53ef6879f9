"""Gates: what they let pass, what they stop, and how they say so."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from bridge.facts import Facts
from bridge.gates import Gate, Judgement, headline, judge, not_passed
from bridge.model_card import ModelCard
from bridge.release import Release
from tests.bridge_kit import PACKAGE, release


def card(**metrics: float) -> ModelCard:
    return ModelCard(name=PACKAGE, version="0.1.1", metrics=metrics)


def verified(known: ModelCard | None) -> Release:
    return release("0.1.0", Facts(card=known))


def judged(gate: dict[str, object], old: float | None, new: float | None) -> Judgement:
    """What the gate says of rmse: `old` was verified last, unless there was no such metric."""
    before = verified(card() if old is None else card(rmse=old))
    now = card() if new is None else card(rmse=new)
    (found,) = judge({"rmse": Gate.model_validate(gate)}, now, before)
    return found


@pytest.mark.parametrize(
    ("gate", "old", "new", "verdict"),
    [
        ({"may_grow": "2%"}, 100, 102, "passed"),
        ({"may_grow": "2%"}, 100, 102.01, "broken"),
        ({"may_grow": "2%"}, 100, 1, "passed"),
        ({"may_grow": "10%"}, 0.7, 0.77, "passed"),
        ({"may_grow": "0%"}, 100, 100, "passed"),
        ({"may_grow": "2%"}, 0, 0.001, "broken"),
        ({"may_grow": "2%"}, -100, -98, "passed"),
        ({"may_grow": "2%"}, -100, -97, "broken"),
        ({"may_shrink": "1%"}, 0.9, 0.891, "passed"),
        ({"may_shrink": "1%"}, 0.9, 0.89, "broken"),
        ({"at_least": 0.8}, 0.9, 0.8, "passed"),
        ({"at_least": 0.8}, 0.9, 0.79, "broken"),
        ({"at_least": 0.8}, None, 0.8, "passed"),
        ({"at_most": 5}, 1, 5.1, "broken"),
        ({"may_shrink": "50%", "at_least": 0.8}, 0.9, 0.7, "broken"),
        ({"may_grow": "2%"}, None, 100, "unknown"),
        ({"may_grow": "2%"}, 100, None, "unknown"),
        ({"at_least": 0.8}, 0.9, None, "unknown"),
    ],
)
def test_a_gate_judges_one_metric(
    gate: dict[str, object], old: float | None, new: float | None, verdict: str
) -> None:
    assert verdict == judged(gate, old, new).verdict


def test_without_a_card_nothing_is_passed() -> None:
    (found,) = judge({"rmse": Gate(at_most=1)}, None, None)
    assert ("unknown", "metric_missing") == (found.verdict, found.because.code)


def test_the_first_version_can_only_be_too_bad_absolutely() -> None:
    gate = Gate.model_validate({"may_grow": "2%", "at_most": 50})
    assert None is not_passed(judge({"rmse": gate}, card(rmse=50), None))
    assert "gate_broken" == headline({"rmse": gate}, card(rmse=51), None).code


def test_a_broken_gate_comes_before_an_unknown_one() -> None:
    gates = {"r2": Gate(at_least=0.8), "rmse": Gate(at_most=1), "mae": Gate(at_most=1)}
    reason = not_passed(judge(gates, card(rmse=2, mae=3), None))
    assert reason
    assert "gate_broken" == reason.code
    assert "rmse is 2, and must be at most 1 (and 2 more)." in reason.sentence


def test_the_sentence_says_from_where_to_where_and_what_was_allowed() -> None:
    reason = judged({"may_grow": "2.5%"}, 21547.84, 24000).because
    assert "rmse grew +11.4% (21,547.8 to 24,000), and may grow by 2.5%" == reason.sentence


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ({"rmse": 2, "r2": 0.8}, {"rmse": 1, "r2": 0.9}, "model_better"),
        ({"rmse": 1, "r2": 0.8}, {"rmse": 1, "r2": 0.7}, "model_worse"),
        ({"rmse": 2, "r2": 0.8}, {"rmse": 1, "r2": 0.7}, "model_mixed"),
        ({"rmse": 1}, {"rmse": 1}, "model_same"),
        ({"rows": 1}, {"rows": 2}, "model_unknown"),
        ({"rmse": 1}, {"r2": 1}, "model_unknown"),
        ({"mine": 2}, {"mine": 1}, "model_better"),
        (None, {"rmse": 1}, "model_unknown"),
        ({"rmse": 1}, None, "gate_not_judged"),
    ],
)
def test_the_headline_is_one_word_for_all_of_them(
    old: dict[str, float] | None, new: dict[str, float] | None, code: str
) -> None:
    before = verified(card(**old) if old is not None else None)
    gates = {"mine": Gate(at_most=5)} if new and "mine" in new else {}
    if new is None:
        gates = {"rmse": Gate(at_most=5)}
    assert code == headline(gates, card(**new) if new is not None else None, before).code


def test_nobody_knows_what_was_before_the_first() -> None:
    assert "no version was verified before" in headline({}, card(rmse=1), None).sentence
    assert "no model card" in headline({}, None, None).sentence


finite = st.floats(-1e12, 1e12, allow_nan=False)


@given(finite, finite, st.integers(0, 1000))
def test_no_better_model_is_stopped_and_no_share_is_overstepped(
    old: float, new: float, percent: int
) -> None:
    verdict = judged({"may_grow": f"{percent}%"}, old, new).verdict
    if new <= old:
        assert "passed" == verdict
    elif new > old + abs(old) * (percent + 1e-6) / 100 + 1e-9:
        assert "broken" == verdict


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"may_grow": 2},
        {"may_grow": "2"},
        {"may_grow": "-2%"},
        {"may_grow": "two%"},
        {"at_least": "nan"},
        {"at_most": "inf"},
        {"may_change": "2%"},
    ],
)
def test_a_gate_that_makes_no_sense_is_refused(fields: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Gate.model_validate(fields)
