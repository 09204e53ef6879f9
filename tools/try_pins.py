"""Try to bump every pinned requirement of other people's files, and count what came of it.

    python tools/try_pins.py FOLDER…

Meant for the test fixtures of other tools: requirements files, pyproject.toml and setup files, and
those that stand as strings in pip's `test_req_file.py` and in Renovate's `*.spec.ts`. Each pin is
bumped with every other byte unchanged, or refused with a reason; anything else is a bug, shown
whole, and the exit code is 1. What pip reads of each file, before and after, is the second witness.
"""

import ast
import contextlib
import re
import sys
import tempfile
import textwrap
import tomllib
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name
from pip._internal.exceptions import InstallationError, RequirementsFileParseError
from pip._internal.network.session import PipSession
from pip._internal.req.req_file import RequirementsFileParser, get_line_parser

from bridge.errors import Refused
from bridge.pins import bump, find
from bridge.pins.one import is_project

VERSION, DIGEST = "9999.1", "sha256:" + "b" * 64
PINNED = re.compile(
    r"""^[ \t'"\[]*(?P<name>[A-Za-z0-9][A-Za-z0-9._-]*)[ \t]*(?:\[[^\]\n]*\])?[ \t\\]*\(?={2,3}""",
    re.MULTILINE,
)
QUOTED = re.compile(r"""['"]\s*(?P<name>[A-Za-z0-9][\w.-]*)\s*(?:\[[^\]\n]*\])?\s*={2,3}""")
READER = RequirementsFileParser(PipSession(), get_line_parser(None))
Case = tuple[str, str, str]
"""Where it is from, the name under which it is tried, and the text."""
PipReads = list[tuple[str, str, object]] | None


def main(folders: Iterable[str]) -> int:
    bugs = 0
    for folder in folders:
        told: Counter[str] = Counter()
        for where, path, text in cases(Path(folder)):
            told["files"] += 1
            for name in sorted({*pinned(path, text), "not-there-at-all"}):
                outcome = attempt(path, text, name)
                told[outcome if name != "not-there-at-all" else "asked in vain"] += 1
                if outcome.startswith("BUG"):
                    bugs += 1
                    print(f"{where}: {name}: {outcome}")
        print(f"\n{folder}")
        for outcome, count in sorted(told.items()):
            print(f"  {count:6} {outcome}")
    return 1 if bugs else 0


def cases(folder: Path) -> Iterator[Case]:
    for path in sorted(file for file in folder.rglob("*") if file.is_file()):
        for number, text in strings(path):
            yield f"{path}:{number}", kind_of(text), text
        if name := kind(path):
            with contextlib.suppress(UnicodeDecodeError):
                yield str(path), name, path.read_bytes().decode()


def kind(path: Path) -> str | None:
    """The name under which a fixture is tried: Renovate has a pyproject.7.toml."""
    if path.suffix == ".toml":
        return "pyproject.toml"
    if path.suffix in (".txt", ".in"):
        return path.name
    return path.name if path.name.startswith("setup") and path.suffix in (".py", ".cfg") else None


def strings(path: Path) -> Iterator[tuple[int, str]]:
    """The files that stand in a test as strings, by their place in it."""
    if path.name == "test_req_file.py":
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield node.lineno, node.value
    if path.name.endswith(".spec.ts"):
        for found in re.finditer(r"`([^`]*==[^`]*)`", path.read_text()):
            text = found[1].replace(r"\n", "\n").replace(r"\\", "\\")
            yield found.start(), textwrap.dedent(text).lstrip("\n")


def kind_of(text: str) -> str:
    is_project = re.search(r"^\[(project|dependency-groups)", text, re.MULTILINE)
    return "pyproject.toml" if is_project else "requirements.txt"


def pinned(path: str, text: str) -> set[str]:
    """The names that are pinned in a text, found in a simple way that is not ours."""
    pattern = PINNED if path.endswith((".txt", ".in")) else QUOTED
    return {canonicalize_name(match["name"]) for match in pattern.finditer(text)}


def attempt(path: str, text: str, name: str) -> str:
    try:
        pin = find(text, name, path)
        bumped = bump(text, name, VERSION, [DIGEST], path)
        again = bump(bumped, name, VERSION, [DIGEST], path)
    except Refused as refusal:
        why = re.search(r"\(([^()]*)\): ", refusal.reason.sentence)
        exact = f" ({why[1]})" if why and refusal.reason.code == "not_an_exact_pin" else ""
        return f"refused: {refusal.reason.code}{exact}"
    except Exception as error:  # noqa: BLE001 - that is what is counted
        return f"BUG: {type(error).__name__}: {error}"
    before, after = text[: pin.start], text[pin.start + len(pin.raw) :]
    if not bumped.startswith(before) or not bumped.endswith(after) or again != bumped:
        return "BUG: another byte changed"
    middle = bumped[len(before) : len(bumped) - len(after)]
    if bare(pin.raw, pin.version) != bare(middle, VERSION):
        return "BUG: more than version and hashes changed"
    if is_project(path):
        changed = set(leaves(tomllib.loads(bumped))) ^ set(leaves(tomllib.loads(text)))
        return "bumped" if len(changed) == 2 else f"BUG: TOML differs in {changed}"
    return compare(pip_reads(text), pip_reads(bumped), name)


def bare(raw: str, version: str) -> str:
    """A line without its version, its hashes and its blanks."""
    return re.sub(r"--hash[= ]\S+|[\s\\]+", "", raw).replace(version, "", 1)


def leaves(node: object, place: str = "") -> Iterator[tuple[str, str]]:
    """Every value of a document with its place."""
    if isinstance(node, dict):
        for key, value in node.items():
            yield from leaves(value, f"{place}/{key}")
    elif isinstance(node, list):
        for index, value in enumerate(node):
            yield from leaves(value, f"{place}/{index}")
    else:
        yield place, repr(node)


def compare(before: PipReads, after: PipReads, name: str) -> str:
    if before is None:
        return "BUG: bumped, but pip cannot read this file"
    if after is None or len(after) != len(before):
        return "BUG: pip cannot read the bumped file"
    moved = [new for old, new in zip(before, after, strict=True) if old != new]
    if len(moved) != 1 or moved[0][0] != name or moved[0][1] != f"=={VERSION}":
        return f"BUG: pip reads {moved}"
    return "bumped" if moved[0][2] in (None, [DIGEST]) else "BUG: other hashes"


def pip_reads(text: str) -> PipReads:
    """What pip reads of each line; None where it refuses the file."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "requirements.txt")
        path.write_bytes(text.encode())
        try:
            return [
                told(line.args, dict(vars(line.opts)))
                for line in READER._parse_file(str(path), False)
            ]
        except (RequirementsFileParseError, InstallationError):
            return None


def told(args: str, options: dict[str, object]) -> tuple[str, str, object]:
    hashes = options.pop("hashes", None)
    values = (
        [f"{kind}:{one}" for kind, many in hashes.items() for one in many]
        if (isinstance(hashes, dict))
        else None
    )
    try:
        requirement = Requirement(args)
    except InvalidRequirement:
        return args, str(sorted(options.items(), key=str)), values
    return canonicalize_name(requirement.name), str(requirement.specifier), values


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
