"""Model cards: tolerant of what we do not know, exact in what they compare."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from bridge.facts import Facts
from bridge.model_card import Data, Feature, MetricChange, ModelCard, compare


def card(**fields: object) -> ModelCard:
    return ModelCard.model_validate({"name": "regression-model", "version": "0.1.0", **fields})


def test_unknown_fields_are_left_alone() -> None:
    found = ModelCard.model_validate_json(
        '{"schema": "model-card/9", "name": "m", "version": "1", "more": [1],'
        ' "data": {"source": "s", "rows": 2, "sha256": "d", "licence": "x"}}'
    )
    assert Data(source="s", rows=2, sha256="d") == found.data
    assert {} == found.metrics


def test_a_card_needs_a_name_and_a_version() -> None:
    for text in ("{}", '{"name": "m"}', "[]", '{"name": 1, "version": "1"}'):
        with pytest.raises(ValidationError):
            ModelCard.model_validate_json(text)


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999"])
@pytest.mark.parametrize(
    "field",
    [
        '"metrics": {"rmse": %s}',
        '"known_answers": [{"input": {}, "output": %s, "tolerance": 0.1}]',
        '"known_answers": [{"input": {}, "output": 1, "tolerance": %s}]',
        '"known_answers": [{"input": {"x": %s}, "output": 1, "tolerance": 0.1}]',
    ],
)
def test_a_card_that_is_read_can_be_kept_and_read_again(field: str, number: str) -> None:
    """What training could not compute must not make a row that nobody can read."""
    text = '{"name": "m", "version": "1", ' + field % number + "}"
    try:
        found = ModelCard.model_validate_json(text)
    except ValidationError:
        return
    assert Facts.model_validate_json(Facts(card=found).model_dump_json(exclude_none=True))


def test_a_change_is_relative_to_the_old_value() -> None:
    def change(old: float | None, new: float | None) -> float | None:
        return MetricChange(name="rmse", old=old, new=new).change

    assert pytest.approx(0.02) == change(100.0, 102.0)
    assert pytest.approx(0.5) == change(-2.0, -1.0)
    assert [None] * 3 == [change(None, 1.0), change(1.0, None), change(0.0, 1.0)]


def test_two_cards_are_compared() -> None:
    data = {"source": "s", "rows": 1, "sha256": "d"}
    old = card(
        metrics={"rmse": 1.0, "gone": 2.0},
        features=[{"name": "a", "type": "number"}, {"name": "b", "type": "number"}],
        libraries={"numpy": "1", "onnx": "2", "same": "3"},
        data=data,
    )
    new = card(
        metrics={"rmse": 1.1, "r2": 0.9},
        features=[{"name": "b", "type": "number"}, {"name": "c", "type": "text"}],
        libraries={"numpy": "2", "same": "3", "pydantic": "9"},
        data=data,
    )
    seen = compare(old, new)
    metrics = [(m.name, m.old, m.new) for m in seen.metrics]
    assert [("rmse", 1.0, 1.1), ("r2", None, 0.9), ("gone", 2.0, None)] == metrics
    assert (["c"], ["a"]) == (seen.features_added, seen.features_removed)
    assert {
        "numpy": ("1", "2"),
        "onnx": ("2", None),
        "pydantic": (None, "9"),
    } == seen.libraries_changed
    assert seen.same_data is True
    assert compare(old, card(data={**data, "sha256": "e"})).same_data is False


def test_without_an_old_card_everything_old_is_unknown() -> None:
    new = card(metrics={"rmse": 1.0}, features=[{"name": "a", "type": "n"}], libraries={"x": "1"})
    seen = compare(None, new)
    assert [("rmse", None, 1.0)] == [(m.name, m.old, m.new) for m in seen.metrics]
    assert ([], [], {}, None) == (
        seen.features_added,
        seen.features_removed,
        seen.libraries_changed,
        seen.same_data,
    )


names = st.lists(st.sampled_from("abcdef"), unique=True)


@given(names, names)
def test_added_and_removed_are_the_whole_difference(had: list[str], has: list[str]) -> None:
    old, new = (
        card(features=[Feature(name=n, type="number") for n in each]) for each in (had, has)
    )
    seen = compare(old, new)
    assert sorted(has) == sorted({*had, *seen.features_added} - {*seen.features_removed})
    assert not {*seen.features_added} & {*had}
