"""The app's folder: the same commit gives the same bytes, and nothing else is in them."""

import gzip
import io
import tarfile

import pytest

from bridge.errors import Refused
from bridge.heroku.pack import pack
from tests.rehearsal_kit import tarball

TREE = {
    "acme-model-ab12/README.md": "# Houses\n",
    "acme-model-ab12/api/Procfile": "web: uvicorn app.main:app\n",
    "acme-model-ab12/api/app/main.py": "x = 1\n",
    "acme-model-ab12/api2/secret.py": "not ours\n",
    "acme-model-ab12/apis": "not ours either\n",
}


def members(packed: bytes) -> dict[str, str]:
    with tarfile.open(fileobj=io.BytesIO(packed), mode="r:gz") as archive:
        found = {}
        for member in archive:
            content = archive.extractfile(member)
            found[member.name] = content.read().decode() if content else ""
        return found


def test_only_the_folder_is_packed_with_its_content_at_the_top() -> None:
    expected = {"Procfile": "web: uvicorn app.main:app\n", "app/main.py": "x = 1\n"}
    assert expected == members(pack(tarball(TREE), "api"))


@pytest.mark.parametrize("root", ["api/", "./api", "api/."])
def test_a_folder_may_be_written_in_several_ways(root: str) -> None:
    assert pack(tarball(TREE), "api") == pack(tarball(TREE), root)


def test_the_whole_repository_may_be_the_app() -> None:
    assert {name.partition("/")[2] for name in TREE} == members(pack(tarball(TREE), ".")).keys()


def test_a_deeper_folder_may_be_the_app() -> None:
    assert {"main.py": "x = 1\n"} == members(pack(tarball(TREE), "api/app"))


def test_a_folder_may_bear_the_name_of_the_repositorys_own() -> None:
    assert {"x": "1"} == members(pack(tarball({"api/api/x": "1", "api/y": "2"}), "api"))


@pytest.mark.parametrize("root", ["ap", "apis", "model", "acme-model-ab12", "api/Procfile/x"])
def test_a_folder_that_is_not_there_is_refused(root: str) -> None:
    if root == "apis":
        root = "apis/x"
    with pytest.raises(Refused) as refusal:
        pack(tarball(TREE), root)
    assert "no_app_root" == refusal.value.reason.code


def test_the_same_commit_gives_the_same_bytes() -> None:
    shuffled = dict(reversed(TREE.items()))
    packed = io.BytesIO()
    headers = {"comment": "ab" * 20}
    with tarfile.open(fileobj=packed, mode="w:gz", pax_headers=headers) as archive:
        for place, (path, text) in enumerate(shuffled.items()):
            member = tarfile.TarInfo(path)
            member.size, member.mtime, member.uid, member.uname = len(text), place, place, "rosa"
            archive.addfile(member, io.BytesIO(text.encode()))
    once = pack(tarball(TREE), "api")
    assert once == pack(packed.getvalue(), "api")
    assert b"\0\0\0\0" == once[4:8], "the moment of packing is in the gzip header"
    assert b"rosa" not in gzip.decompress(once)


def test_a_script_stays_executable() -> None:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        for name, mode in (("top/run", 0o775), ("top/data", 0o664)):
            member = tarfile.TarInfo(name)
            member.mode = mode
            archive.addfile(member)
    with tarfile.open(fileobj=io.BytesIO(pack(packed.getvalue(), ".")), mode="r:gz") as archive:
        assert {"run": 0o755, "data": 0o644} == {member.name: member.mode for member in archive}


def test_a_symbolic_link_is_kept_or_refused_but_not_forgotten() -> None:
    """Git keeps links, and an app whose file is gone does not start."""
    packed = io.BytesIO(gzip.decompress(tarball(TREE)))
    with tarfile.open(fileobj=packed, mode="a") as archive:
        link = tarfile.TarInfo("acme-model-ab12/api/runtime.txt")
        link.type, link.linkname = tarfile.SYMTYPE, "Procfile"
        archive.addfile(link)
    try:
        found = members(pack(gzip.compress(packed.getvalue()), "api"))
    except Refused:
        return
    assert "runtime.txt" in found
