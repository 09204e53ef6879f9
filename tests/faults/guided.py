"""Coverage-guided fuzzing of the receiving side, in a process of its own: libFuzzer ends it.

`python -m tests.faults.guided RUNS SEED` feeds bytes that reach new branches to every source's
signature check and parser. Any exception that is not our own word ends it with that input.
"""

import contextlib
import sys

import atheris

with atheris.instrument_imports(include=["bridge"]):
    from bridge.errors import Forged, Malformed
    from bridge.event import WorkflowEnded
    from bridge.inbox import published_by
    from bridge.sources import SOURCES

from tests.bridge_kit import NOW, SECRETS, pipeline
from tests.faults.fuzz_kit import signed

KEYS = {name: [SOURCES[name].key_of(secret)] for name, secret in SECRETS.items()}
NAMES = sorted(SOURCES)
OURS = pipeline(circleci={"project": "gh/acme/model-deployment", "workflow": "regression-model"})


def one(data: bytes) -> None:
    """The first byte chooses the source; what follows is a body, then a claim about it."""
    name = NAMES[data[0] % len(NAMES)] if data else NAMES[0]
    source, (body, _, claim) = SOURCES[name], data[1:].partition(b"\xff\xff")
    headers = signed(name, body)
    source.verify(headers, body, KEYS[name], NOW)
    with contextlib.suppress(Malformed):
        source.identify(headers, body)
        event = source.parse((), body)
        if isinstance(event, WorkflowEnded):
            published_by(OURS, event)
    said = claim.decode("latin-1")
    for at, (header, value) in enumerate(headers):
        if said and said != value:
            changed = [*headers[:at], (header, said), *headers[at + 1 :]]
            with contextlib.suppress(Forged):
                source.verify(changed, body, KEYS[name], NOW)


def main() -> None:
    """Run as often as was asked, from the bodies that the sources really send."""
    runs, seed, folder = sys.argv[1:]
    atheris.Setup(
        [sys.argv[0], f"-atheris_runs={runs}", f"-seed={seed}", "-max_len=4096", folder], one
    )
    atheris.Fuzz()


if __name__ == "__main__":
    main()
