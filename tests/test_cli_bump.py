"""`bridge bump`: files of this machine, changed as a pull request would change them."""

import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from bridge import cli
from tests.pins_kit import NAME, NEW, OLD, H

MAIN = "requirements.txt"
BEFORE = f"# ours\r\n{NAME}==1.0 \\\r\n    {H}\r\nb==2 {H}"
AFTER = BEFORE.replace(f"{NAME}==1.0", f"{NAME}==2.0").replace(OLD, NEW, 1)
Run = Callable[..., tuple[object, str, str]]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """`bridge bump` in a folder of its own: exit code, output and errors."""
    monkeypatch.chdir(tmp_path)

    def bump(*words: str) -> tuple[object, str, str]:
        monkeypatch.setattr(sys, "argv", ["bridge", "bump", *words])
        with pytest.raises(SystemExit) as end:
            cli.main()
        return end.value.code or 0, *capsys.readouterr()

    return bump


def write(path: str, text: str) -> Path:
    file = Path(path)
    file.parent.mkdir(exist_ok=True, parents=True)
    file.write_bytes(text.encode())
    return file


def test_it_changes_the_pin_and_says_where(run: Run) -> None:
    file = write(MAIN, BEFORE)
    file.chmod(0o640)
    assert (0, f"{MAIN}, line 2: {NAME} 1.0 → 2.0.\n", "") == run(MAIN, NAME, "2.0", "--hash", NEW)
    assert AFTER.encode() == file.read_bytes()
    assert 0o640 == stat.S_IMODE(file.stat().st_mode)
    assert [MAIN] == [path.name for path in Path().iterdir()]
    again = run(MAIN, NAME, "2.0", "--hash", NEW)
    assert (0, f"{MAIN}, line 2: {NAME} is at 2.0 already.\n", "") == again


def test_it_follows_nested_files_and_says_which_it_edited(run: Run) -> None:
    main = write("api/r.txt", f"-r more/base.txt\n-r gone.txt\nfastapi==1 {H}\n")
    nested = write("api/more/base.txt", f"{NAME}==1.0 {H}\n")
    source = write("api/r.in", f"{NAME}==1.0\n")
    words = ("./api/r.txt", NAME, "2.0", "--hash", NEW, "--also", "api/r.in")
    code, told, _ = run(*words)
    assert 0 == code
    assert ["api/r.in, line 1", "api/more/base.txt, line 1"] == [
        line.partition(":")[0] for line in told.splitlines()
    ]
    assert f"{NAME}==2.0 --hash={NEW}\n" == nested.read_text()
    assert f"{NAME}==2.0\n" == source.read_text()
    assert main.read_text().startswith("-r more")


def test_a_dry_run_prints_a_diff_that_git_can_apply(run: Run) -> None:
    file = write(MAIN, BEFORE)
    code, diff, _ = run(MAIN, NAME, "2.0", "--hash", NEW, "--dry-run")
    assert (0, BEFORE.encode()) == (code, file.read_bytes())
    subprocess.run(["git", "apply", "-"], input=diff.encode(), check=True)
    assert AFTER.encode() == file.read_bytes()


@pytest.mark.parametrize(
    ("text", "words", "said"),
    [
        (f"a==1\n{NAME}>=1\n", [], f"Line 2 of {MAIN} is not an exact pin"),
        ("a==1\n", [], f"{NAME} is not pinned in {MAIN}"),
        ("a==1\n-r other.txt\n", [], f"line 2 of {MAIN} takes other.txt"),
        (f"4 + 4 = 2\n{NAME}==1.0\n", [], f"Line 1 of {MAIN} cannot be read by pip"),
        (BEFORE, [], f"Line 2 of {MAIN} stands among hashes"),
        (f"{NAME}==1.0\n", ["--hash", NEW], f"Line 1 of {MAIN} pins {NAME} without a hash"),
    ],
)
def test_it_refuses_with_file_and_line(run: Run, text: str, words: list[str], said: str) -> None:
    file = write(MAIN, text)
    code, _, told = run(MAIN, NAME, "2.0", *words)
    assert 1 == code
    assert said in " ".join(told.split())
    assert text.encode() == file.read_bytes()


def test_bytes_that_are_no_utf8_are_refused(run: Run) -> None:
    Path(MAIN).write_bytes(b"# caf\xe9\n")
    code, _, told = run(MAIN, NAME, "2.0")
    assert (1, f"{MAIN} is not text in UTF-8.\n") == (code, told)


@pytest.mark.parametrize(
    "words",
    [
        ("gone.txt", NAME, "2.0"),
        (MAIN, NAME, "newest"),
        (MAIN, NAME, "2.0", "--hash", "sha256:abc"),
        (MAIN, NAME, "2.0", "--hash", "md5:" + "a" * 32),
    ],
)
def test_wrong_words_end_with_2(run: Run, words: tuple[str, ...]) -> None:
    file = write(MAIN, BEFORE)
    assert 2 == run(*words)[0]
    assert BEFORE.encode() == file.read_bytes()


def test_a_link_stays_a_link(run: Run) -> None:
    target = write("real.txt", f"{NAME}==1.0\n")
    Path(MAIN).symlink_to("real.txt")
    assert 0 == run(MAIN, NAME, "2.0")[0]
    assert Path(MAIN).is_symlink()
    assert f"{NAME}==2.0\n" == target.read_text()
