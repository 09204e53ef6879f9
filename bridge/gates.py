"""Gates: what a new model's metrics may be, absolutely and against what was verified. Pure."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, model_validator

from bridge.errors import Reason
from bridge.model_card import ModelCard, compare
from bridge.release import Release
from bridge.sentences import say

LESS_IS_BETTER = {"loss", "log_loss", "mae", "mape", "mse", "rmse", "rmse_log", "rmsle"}
MORE_IS_BETTER = {"accuracy", "auc", "f1", "precision", "r2", "recall", "roc_auc"}
NAMED = 4


def _share(said: str) -> str:
    """A bare number is refused: is 2 two per cent, or twice?"""
    if not re.fullmatch(r"\d{1,6}(\.\d{1,6})? ?%", said):
        raise ValueError("a share is written like 2%")
    return said


Share = Annotated[str, AfterValidator(_share)]


class Gate(BaseModel):
    """What one metric may do: relative to the version verified last, and absolutely."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    may_grow: Share | None = None
    may_shrink: Share | None = None
    at_least: float | None = None
    at_most: float | None = None

    @model_validator(mode="after")
    def asks_something(self) -> "Gate":
        """A gate without a bound would always be open."""
        if not self.model_fields_set:
            raise ValueError("a gate needs may_grow, may_shrink, at_least or at_most")
        return self

    @property
    def is_relative(self) -> bool:
        """Whether the version before matters."""
        return self.may_grow is not None or self.may_shrink is not None


@dataclass(frozen=True)
class Judgement:
    """What the gate says of one metric. `unknown` is not passed."""

    metric: str
    verdict: Literal["passed", "broken", "unknown"]
    because: Reason


def judge(
    gates: Mapping[str, Gate], card: ModelCard | None, before: Release | None
) -> list[Judgement]:
    """Every gate's word on the new card; `before` is the version verified last.

    Where nothing was verified before, nothing can have become worse: relative bounds are passed.
    """
    known = before.facts.card if before else None
    return [
        _judge(
            name,
            gate,
            card.metrics.get(name) if card else None,
            known.metrics.get(name) if known else None,
            before.version if before else None,
        )
        for name, gate in gates.items()
    ]


def not_passed(judgements: Iterable[Judgement]) -> Reason | None:
    """Why the gates are not passed, a broken one first; None when all are."""
    bad = [one for one in judgements if one.verdict != "passed"]
    bad.sort(key=lambda one: one.verdict)
    if not bad:
        return None
    more = f" (and {len(bad) - 1} more)" if len(bad) > 1 else ""
    first = bad[0]
    code = "gate_broken" if first.verdict == "broken" else "gate_not_judged"
    return say(code, why=first.because.sentence, more=more)


def _judge(
    name: str, gate: Gate, new: float | None, old: float | None, before: str | None
) -> Judgement:
    if new is None:
        return Judgement(name, "unknown", say("metric_missing", metric=name))
    if gate.is_relative and old is None and before:
        return Judgement(name, "unknown", say("metric_was_missing", metric=name, version=before))
    wrong = _absolute(name, gate, new) or (None if old is None else _moved(name, gate, old, new))
    if wrong:
        return Judgement(name, "broken", wrong)
    return Judgement(name, "passed", say("gate_passed", metric=name, new=number(new)))


def _absolute(name: str, gate: Gate, new: float) -> Reason | None:
    if gate.at_least is not None and new < gate.at_least:
        bound = number(gate.at_least)
        return say("metric_too_low", metric=name, new=number(new), bound=bound)
    if gate.at_most is not None and new > gate.at_most:
        bound = number(gate.at_most)
        return say("metric_too_high", metric=name, new=number(new), bound=bound)
    return None


def _moved(name: str, gate: Gate, old: float, new: float) -> Reason | None:
    """Counted in the decimals that the card shows: 0.7 may grow by 10% to 0.77, not to 0.76999…"""
    was, now = Decimal(str(old)), Decimal(str(new))
    words = {"metric": name, "old": number(old), "new": number(new), "by": difference(old, new)}
    if gate.may_grow is not None and now > was + abs(was) * _part(gate.may_grow):
        return say("metric_grew", allowed=gate.may_grow, **words)
    if gate.may_shrink is not None and now < was - abs(was) * _part(gate.may_shrink):
        return say("metric_shrank", allowed=gate.may_shrink, **words)
    return None


def headline(gates: Mapping[str, Gate], card: ModelCard | None, before: Release | None) -> Reason:
    """The new model in one line: a gate that it does not pass, else better, worse or unknown."""
    judgements = judge(gates, card, before)
    if bad := not_passed(judgements):
        return bad
    if card is None:
        return say("model_unknown", why="the wheel carries no model card")
    if before is None:
        return say("model_unknown", why="no version was verified before it")
    if before.facts.card is None:
        return say("model_unknown", why=f"{before.version} carried no model card")
    better: list[str] = []
    worse: list[str] = []
    same: list[str] = []
    for one in compare(before.facts.card, card).metrics:
        way = _good_way(one.name, gates.get(one.name))
        if way and one.old is not None and one.new is not None:
            gained = way * (one.new - one.old)
            told = f"{one.name} {difference(one.old, one.new)}"
            (better if gained > 0 else worse if gained < 0 else same).append(told)
    if not better and not worse and not same:
        return say("model_unknown", why="its card has no metric that can be judged")
    code = {
        (True, False): "model_better",
        (False, True): "model_worse",
        (True, True): "model_mixed",
    }
    said = code.get((bool(better), bool(worse)), "model_same")
    return say(said, old=before.version, changes=", ".join((worse + better + same)[:NAMED]))


def _good_way(name: str, gate: Gate | None) -> int:
    """+1 for a metric that is better when it grows, -1 when it shrinks, 0 where nobody knows."""
    if gate:
        up = gate.may_shrink is not None or gate.at_least is not None
        down = gate.may_grow is not None or gate.at_most is not None
        return up - down
    return (name in MORE_IS_BETTER) - (name in LESS_IS_BETTER)


def rules(gate: Gate) -> str:
    """What a gate asks, in a few words."""
    told = [
        gate.may_grow is not None and f"may grow {gate.may_grow}",
        gate.may_shrink is not None and f"may fall {gate.may_shrink}",
        gate.at_least is not None and f"at least {number(gate.at_least)}",
        gate.at_most is not None and f"at most {number(gate.at_most)}",
    ]
    return ", ".join(one for one in told if one)


def _part(share: str) -> Decimal:
    return Decimal(share.rstrip(" %")) / 100


def number(value: float | None) -> str:
    """A metric as people read it."""
    return "unknown" if value is None else f"{value:,.6g}"


def difference(old: float, new: float) -> str:
    """From old to new, in per cent where that can be said."""
    if old == 0:
        return f"{new - old:+,.6g}"
    change = (new - old) / abs(old)
    return f"{change:+,.1%}" if abs(change) >= 0.001 or not change else f"{change * 100:+.2g}%"
