"""The house keeps its shape: small files, no registry's name, no machine's path, no index line."""

import re
import statistics
import subprocess
from pathlib import Path

ROOT = Path(__file__).parent.parent
LONGEST = 260
MEDIAN = 130
HOSTS = re.compile(
    r"(py" r"pi|pythonhosted)\.org|registry\.npm" r"js|(deb|security)\.deb" r"ian\.org"
)
MACHINE = re.compile(r"(?<![\w$}])/(root|work|home/\w+)/")
INDEX_LINE = re.compile(
    r"^\s*(-i|--index-url|--extra-index-url|--find-links)\b(?!.*\$\{)", re.MULTILINE
)


def tracked(*patterns: str) -> list[Path]:
    """The files that git knows, and the new ones that it does not ignore."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", *patterns],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    names = sorted({name for name in listed.stdout.decode().split("\0") if name})
    return [ROOT / name for name in names if (ROOT / name).is_file()]


def test_modules_can_be_read_in_one_sitting() -> None:
    lines = {path: len(path.read_text().splitlines()) for path in tracked("bridge/*.py")}
    table = ROOT / "bridge" / "sentences.py"  # is looked up, not read
    long = {str(path): n for path, n in lines.items() if n > LONGEST and path != table}
    assert {} == long
    assert statistics.median(count for count in lines.values() if count) <= MEDIAN


def test_no_file_names_a_package_registry_or_a_path_of_a_machine() -> None:
    found = [
        f"{path.relative_to(ROOT)}: {match.group()}"
        for path in tracked()
        for pattern in (HOSTS, MACHINE)
        if (match := pattern.search(path.read_text(errors="replace")))
    ]
    assert [] == found


def test_locked_requirements_are_hashed_and_name_no_index() -> None:
    for path in tracked("*requirements*/*.txt", "*requirements*.txt"):
        text = path.read_text()
        assert INDEX_LINE.search(text) is None, path
        pins = re.findall(r"^[a-z0-9][\w.-]*==", text, re.MULTILINE)
        assert len(pins) <= text.count("--hash=sha256:"), path


def test_alembic_has_no_init_because_it_would_shadow_the_library() -> None:
    assert not (ROOT / "alembic" / "__init__.py").exists()
