"""The JSON side tells the truth about itself: what the OpenAPI says is what is answered.

Schemathesis reads the description that users read, asks every operation what it allows and what it
does not, and compares each answer with it: no 5xx, no status, content type or body that is not
described.
"""

import contextlib
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import Case, GenerationMode
from schemathesis.core.result import Ok
from schemathesis.schemas import BaseSchema

from bridge.facts import Facts
from bridge.release import Stage
from tests.bridge_kit import NOW
from tests.faults.fuzz_kit import EXAMPLES
from tests.faults.test_fuzz_receive import Door, serving
from tests.web_kit import HOSTILE, placed


@pytest.fixture(scope="module")
def description(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BaseSchema]:
    """The served application's own; it has releases at every stage to tell of."""
    with contextlib.closing(Door(tmp_path_factory.mktemp("web"))) as door:
        for number, stage in enumerate(Stage):
            facts = HOSTILE if number % 2 else Facts()
            door.runner.run(placed(door.bridge, f"0.1.{number}", stage, facts=facts))
        door.bridge.worker.beat = NOW
        with serving(door.app) as port:
            yield schemathesis.openapi.from_url(f"http://127.0.0.1:{port}/api/v1/openapi.json")


@pytest.mark.parametrize("mode", GenerationMode)
def test_every_answer_is_as_it_is_described(description: BaseSchema, mode: GenerationMode) -> None:
    asked = set()
    for found in description.get_all_operations():
        assert isinstance(found, Ok)
        operation = found.ok()
        if mode is GenerationMode.NEGATIVE and not list(operation.iter_parameters()):
            continue
        asked.add(operation.label)

        @settings(max_examples=EXAMPLES, suppress_health_check=list(HealthCheck))
        @given(operation.as_strategy(generation_mode=mode))
        def holds(case: Case[Any]) -> None:
            case.call_and_validate()

        holds()
    assert {"GET /api/v1/releases", "GET /api/v1/releases/{identifier}"} <= asked
