"""What uv may see of a repository's files, and what is read of its answers."""

import pytest

from bridge.errors import Refused
from bridge.facts import Moved
from bridge.uv.files import entries, head, moved, python_of, told
from bridge.uv.lock import Package, Resolution, conflict, read_lock

A, B = "a" * 64, "b" * 64
FILE = f"""\
# compiled
--extra-index-url ${{PIP_EXTRA_INDEX_URL}}
-i http://stranger.test/
numpy==1.0 ; python_version < "3.12" \\
    --hash=sha256:{A} \\
    --hash=sha256:{B}
    # via model
numpy==2.0 ; python_version >= "3.12" --hash=sha256:{A}
--no-binary :all:
Idna[all]==3.0 --hash=sha256:{A}  # a word
"""


def test_uv_is_told_requirements_and_nothing_else() -> None:
    expected = (
        'numpy==1.0; python_version < "3.12"\nnumpy==2.0; python_version >= "3.12"\n'
        "Idna[all]==3.0\n"
    )
    assert expected == told(entries(FILE, "requirements.txt"))


def test_the_hashes_of_a_requirement_are_known() -> None:
    first, second, third = entries(FILE, "requirements.txt")
    assert {f"sha256:{A}", f"sha256:{B}"} == first.hashes
    assert {f"sha256:{A}"} == second.hashes == third.hashes
    assert ("idna", "3.0") == (third.name, third.version)


@pytest.mark.parametrize(
    "line",
    [
        "-e .",
        "-r other.txt",
        "-c http://169.254.169.254/latest",
        "./folder",
        "stranger @ http://stranger.test/stranger-1.0-py3-none-any.whl",
        "file:///etc/passwd",
        "git+ssh://git@stranger.test/x.git",
        "numpy==${VERSION}",
        "two words",
        "--config-settings x",
    ],
)
def test_what_would_open_something_else_is_refused_with_its_line(line: str) -> None:
    with pytest.raises(Refused) as refused:
        list(entries(f"numpy==1.0\n{line}\n", "api/requirements.txt"))
    assert "not_resolvable" == refused.value.reason.code
    assert "line 2 of it" in refused.value.reason.sentence


@pytest.mark.parametrize(
    ("runtime", "version_file", "expected"),
    [
        (None, None, "3.14"),
        (None, "3.13\n", "3.13"),
        (None, "# ours\n\n3.12.4\n", "3.12.4"),
        ("python-3.11.9\n", "3.13\n", "3.11.9"),
        ("\n", "3.13", "3.13"),
    ],
)
def test_the_python_is_the_one_that_heroku_takes(
    runtime: str | None, version_file: str | None, expected: str
) -> None:
    assert expected == python_of(runtime, version_file)


@pytest.mark.parametrize("said", ["2.7", "latest", "3.13\n3.12\n", "3.13 --find-links x", "3"])
def test_a_python_that_heroku_could_not_read_is_refused(said: str) -> None:
    with pytest.raises(Refused, match=r"\.python-version"):
        python_of(None, said)


def test_what_uv_does_not_write_again_is_kept() -> None:
    expected = (
        "# compiled\n--extra-index-url ${PIP_EXTRA_INDEX_URL}\n-i http://stranger.test/\n"
        "--no-binary :all:\n"
    )
    assert expected == head(FILE, "requirements.txt")


def test_what_else_moved_is_listed_by_name() -> None:
    after = "idna==4.0\nnumpy==1.0\nnumpy==2.0\nmodel==2\nsix==1.0\n"
    before = "idna==3.0\nnumpy==2.0\nnumpy==1.0\nmodel==1\nclick==8.0\n"
    assert [
        Moved(name="click", old="8.0", new=None),
        Moved(name="idna", old="3.0", new="4.0"),
        Moved(name="six", old=None, new="1.0"),
    ] == moved(before, after, "requirements.txt", "Model")


LOCK = f"""\
lock-version = "1.0"
[[packages]]
name = "numpy"
version = "2.0"
wheels = [{{ url = "http://index.test/n.whl", size = 1500000, hashes = {{ sha256 = "{A}" }} }}]
[[packages]]
name = "model"
version = "1.0"
wheels = [{{ url = "http://index.test/m.whl", hashes = {{ sha256 = "{B}" }} }}]
"""


@pytest.mark.parametrize(
    ("requirements", "missing"),
    [
        (f"numpy==2.0 --hash=sha256:{A}\nmodel==1.0 --hash=sha256:{B}\n", None),
        (f"numpy==2.0 --hash=sha256:{A.upper()}\nmodel==1 --hash=sha256:{B}\n", None),
        (f"model==1.0 --hash=sha256:{B}\n", "it needs numpy 2.0, which the file does not pin."),
        (
            f"numpy==1.0 --hash=sha256:{A}\nmodel==1.0 --hash=sha256:{B}\n",
            "it needs numpy 2.0, which the file does not pin.",
        ),
        (f"numpy==2.0\nmodel==1.0 --hash=sha256:{B}\n", "numpy 2.0 for this Python has none"),
        (
            f"numpy==2.0 --hash=sha256:{B}\nmodel==1.0 --hash=sha256:{B}\n",
            "numpy 2.0 for this Python has none",
        ),
        (
            f"numpy==2.0 --hash=sha256:{A}\nmodel==1.0 --hash=sha256:{A}\n",
            "model 1.0 for this Python has none",
        ),
    ],
)
def test_a_file_with_hashes_must_have_all_that_is_installed(
    requirements: str, missing: str | None
) -> None:
    found = read_lock(LOCK).missing(entries(requirements, "requirements.txt"))
    assert missing is None if found is None else missing in found if missing else False


def test_the_forecast_is_known_when_every_size_is() -> None:
    found = read_lock(LOCK)
    assert found.size_mb({}) is None
    assert 3 == found.size_mb({"model": 600_000})
    assert 0 == Resolution([]).size_mb({})
    assert Resolution([Package(name="x", version="1", wheels=[])]).size_mb({}) is None


SAID = "error: No solution found when resolving dependencies\n  cause: Because a\n   and b.\n"


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (SAID, "Because a and b."),
        (f"{SAID}\nhint: `a` was found elsewhere.\n", "Because a and b."),
        (f"{SAID}\nhint: An index URL (x) could not be queried (401 Unauthorized)\n", None),
        (f"{SAID}\nhint: An index (x) returned a 403 Forbidden error.\n", None),
        (f"{SAID}\nhint: Packages were unavailable because the network was disabled\n", None),
        ("error: Request failed after 3 retries\n  cause: Failed to fetch\n", None),
        ("", None),
    ],
)
def test_only_a_conflict_is_final(said: str, why: str | None) -> None:
    assert why == conflict(said)


def test_a_long_explanation_is_cut() -> None:
    why = conflict(SAID.replace("and b", "and b" * 1000))
    assert why is not None
    assert why.endswith(" …")
    assert len(why) < 700
