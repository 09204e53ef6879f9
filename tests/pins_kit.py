"""Requirements files, good, bad and nasty, and what pip itself reads of a file."""

import re
import tempfile
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name
from pip._internal.exceptions import InstallationError, RequirementsFileParseError
from pip._internal.network.session import PipSession
from pip._internal.req.constructors import install_req_from_parsed_requirement
from pip._internal.req.req_file import ParsedRequirement, parse_requirements

NAME = "regression-model"
OLD, NEW = "sha256:" + "a" * 64, "sha256:" + "b" * 64
NEW2 = "sha256:" + "c" * 64
LONG = "sha512:" + "d" * 128
H = f"--hash={OLD}"
SESSION = PipSession()

Effective = tuple[str, frozenset[str]]


def pip_reads(text: str) -> list[Effective] | None:
    """What pip makes of every line about our package: its specifier and its hashes; None where
    pip cannot read the file."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "requirements.txt")
        Path(folder, "other.txt").touch()
        path.write_bytes(text.encode())
        try:
            parsed = list(parse_requirements(str(path), SESSION))
            return [_effective(one) for one in parsed if _is_ours(one)]
        except (RequirementsFileParseError, InvalidRequirement):
            return None


def pip_refuses(text: str) -> bool:
    """Whether pip cannot read the file, or cannot make requirements of its lines."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "requirements.txt")
        path.write_bytes(text.encode())
        try:
            for one in parse_requirements(str(path), SESSION):
                install_req_from_parsed_requirement(one)
        except InstallationError:
            return True
    return False


def _is_ours(one: ParsedRequirement) -> bool:
    found = re.match(r"[A-Za-z0-9._-]+", one.requirement)
    return found is not None and canonicalize_name(found.group()) == NAME


def _effective(one: ParsedRequirement) -> Effective:
    hashes = (one.options or {}).get("hashes") or {}
    told = frozenset(f"{kind}:{value}" for kind, values in hashes.items() for value in values)
    return str(Requirement(one.requirement).specifier), told


# Each is a file and what find must see: the version, the hashes and the line.
GOOD: dict[str, tuple[str, str, tuple[str, ...], int]] = {
    "plain": (f"{NAME}==1.0\n", "1.0", (), 1),
    "no last newline": (f"a==1\n{NAME}==1.0", "1.0", (), 2),
    "windows": (f"a==1\r\n{NAME}==1.0 \\\r\n    {H}\r\nb==2\r\n", "1.0", (OLD,), 2),
    "byte order mark": (f"\ufeff{NAME}==1.0\n", "1.0", (), 1),
    "byte order mark and hashes": (f"\ufeff{NAME}==1.0 {H}\n", "1.0", (OLD,), 1),
    "hash on the next line": (f"{NAME}==1.0 \\\n    {H}\n", "1.0", (OLD,), 1),
    "several hashes": (f"{NAME}==1.0 \\\n    {H} \\\n    --hash={NEW2}\n", "1.0", (OLD, NEW2), 1),
    "hashes on one line": (f"{NAME}==1.0 {H} --hash={NEW2}\n", "1.0", (OLD, NEW2), 1),
    "hash after a space": (f"{NAME}==1.0 --hash {OLD}\n", "1.0", (OLD,), 1),
    "comment at the end": (f"{NAME}==1.0  # the model\n", "1.0", (), 1),
    "comment after the last hash": (f"{NAME}==1.0 \\\n    {H}  # built by CI\n", "1.0", (OLD,), 1),
    "comment line after a continuation": (f"{NAME}==1.0 \\\n# via api\nb==2\n", "1.0", (), 1),
    "note that ends in a backslash": (f"# note \\\n{NAME}==1.0\n", "1.0", (), 2),
    "extras": (f"{NAME}[train,dev]==1.0\n", "1.0", (), 1),
    "spaced extras": (f"{NAME} [train] == 1.0\n", "1.0", (), 1),
    "marker with ==": (f'{NAME}==1.0 ; python_version == "3.11"\n', "1.0", (), 1),
    "tight marker": (f'{NAME}==1.0;sys_platform=="linux"\n', "1.0", (), 1),
    "marker and hash": (f'{NAME}==1.0 ; os_name == "posix" {H}\n', "1.0", (OLD,), 1),
    "much space": (f"   {NAME}   ==   1.0   \n", "1.0", (), 1),
    "tabs": (f"\t{NAME}\t==\t1.0\t# x\n", "1.0", (), 1),
    "version on the next line": (f"{NAME}== \\\n  1.0\n", "1.0", (), 1),
    "underscores": ("Regression_Model==1.0\n", "1.0", (), 1),
    "dots": ("REGRESSION.MODEL==1.0\n", "1.0", (), 1),
    "doubled separators": ("regression__model==1.0\n", "1.0", (), 1),
    "brackets": (f"{NAME} (==1.0)\n", "1.0", (), 1),
    "v": (f"{NAME}==v1.0\n", "v1.0", (), 1),
    "epoch and local": (f"{NAME}==1!1.0+cpu.1\n", "1!1.0+cpu.1", (), 1),
    "beside a longer name": (f"{NAME}-extra==9\n{NAME}==1.0\n{NAME}2==8\n", "1.0", (), 2),
    "commented-out pin": (f"# {NAME}==0.9\n#{NAME}==0.8\n{NAME}==1.0\n", "1.0", (), 3),
    "among options": (
        f"--extra-index-url ${{PIP_EXTRA_INDEX_URL}}\n-r other.txt\n{NAME}==1.0\n",
        "1.0",
        (),
        3,
    ),
    "among others' urls": (
        f"-e git+https://git.test/a.git#egg=other\nb @ https://b.test/b.whl\n{NAME}==1.0\n",
        "1.0",
        (),
        3,
    ),
    "after a form feed": (f"a==1\n\x0c{NAME}==1.0\x0cb==2\n", "1.0", (), 3),
    "after a name in a url": (
        f"--find-links https://wheels.test/{NAME}\n{NAME}==1.0\n",
        "1.0",
        (),
        2,
    ),
    "config settings": (f'{NAME}==1.0 --config-settings="a=b" {H}\n', "1.0", (OLD,), 1),
    "longer digest": (f"{NAME}==1.0 --hash={LONG}\n", "1.0", (LONG,), 1),
    "says that it is UTF-8": (f"# -*- coding: utf-8 -*-\n# café\n{NAME}==1.0\n", "1.0", (), 3),
    "other encoding, plain text": (f"# coding: latin-1\n{NAME}==1.0\n", "1.0", (), 2),
    "among paths": (f"./wheels/o-1-py3-none-any.whl\nother.zip\n{NAME}==1.0\n", "1.0", (), 3),
    "among variables": (f"${{OTHER}}==1\no==${{O}}\n{NAME}==1.0 {H}\n", "1.0", (OLD,), 3),
    "under constraints": (f"-c other.txt\n--pre\n--no-binary :all:\n{NAME}==1.0\n", "1.0", (), 4),
    "two backslashes": (f"{NAME}==1.0 \\\\\n  {H}\n", "1.0", (OLD,), 1),
}

BAD: dict[str, tuple[str, str]] = {
    "empty file": ("", "no_pin"),
    "another package": ("other==1.0\n", "no_pin"),
    "only a comment": (f"# {NAME}==1.0 # not a pin\n", "no_pin"),
    "prefix of a longer name": (f"{NAME}-extra==1.0\n", "no_pin"),
    "name from the environment": ("${MODEL}==1.0\n", "no_pin"),
    "swallowed by a comment": (f"a==1 # note \\\n{NAME}==1.0\n", "no_pin"),
    "bare name": (f"{NAME}\n", "not_an_exact_pin"),
    "range": (f"{NAME}>=1.0,<2\n", "not_an_exact_pin"),
    "pin and bound": (f"{NAME}==1.0,<2\n", "not_an_exact_pin"),
    "compatible": (f"{NAME}~=1.0\n", "not_an_exact_pin"),
    "not equal": (f"{NAME}!=1.0\n", "not_an_exact_pin"),
    "arbitrary equality": (f"{NAME}===1.0\n", "not_an_exact_pin"),
    "wildcard": (f"{NAME}==1.*\n", "not_an_exact_pin"),
    "version from the environment": (f"{NAME}==${{MODEL_VERSION}}\n", "not_an_exact_pin"),
    "comment without a space": (f"{NAME}==1.0#x\n", "unreadable_line"),
    "no version": (f"{NAME}==\n", "unreadable_line"),
    "marker only": (f'{NAME}; python_version == "3.11"\n', "not_an_exact_pin"),
    "direct reference": (f"{NAME} @ https://files.test/x.whl\n", "pin_is_a_url"),
    "tight direct reference": (f"{NAME}@https://files.test/x.whl\n", "pin_is_a_url"),
    "editable egg": (f"-e git+https://git.test/m.git#egg={NAME}\n", "pin_is_a_url"),
    "long editable": (
        "--editable git+ssh://git@git.test/m#egg=Regression_Model\n",
        "pin_is_a_url",
    ),
    "egg in a url": (f"https://files.test/m.zip#egg={NAME}\n", "pin_is_a_url"),
    "twice": (f"{NAME}==1.0\n{NAME}==1.0\n", "pinned_twice"),
    "twice, spelled differently": (f"{NAME}==1.0\nRegression.Model==2.0\n", "pinned_twice"),
    "twice with markers": (
        f'{NAME}==1.0; python_version<"3.12"\n{NAME}==1.1; python_version>="3.12"\n',
        "pinned_twice",
    ),
    "editable folder": (f"-e ./{NAME}/\n", "pin_is_a_url"),
    "folder": ("../regression_model[x]\n", "pin_is_a_url"),
    "unknown option": (f"--default-timeout 600\n{NAME}==1.0\n", "unreadable_line"),
    "old specifier": (f"a>=4.1.1<4.2\n{NAME}==1.0\n", "unreadable_line"),
    "template": (f"{{% if x %}}\n{NAME}==1.0\n", "unreadable_line"),
    "merge conflict": (f"<<<<<<< HEAD\n{NAME}==1.0\n", "unreadable_line"),
    "two on a line": (f"{NAME}==1.0 b==2\n", "unreadable_line"),
    "weak digest": (f"{NAME}==1.0 --hash=md5:{'a' * 32}\n", "unreadable_line"),
    "tab before the hash": (f"{NAME}==1.0\t{H}\n", "unreadable_line"),
    "open quote": (f"{NAME}==1.0 --config-settings='a\n", "unreadable_line"),
    "option without value": (f"-r\n{NAME}==1.0\n", "unreadable_line"),
    "flag with value": (f"--pre=yes\n{NAME}==1.0\n", "unreadable_line"),
    "other encoding": (f"# coding: latin-1\n# café\n{NAME}==1.0\n", "not_text"),
    "no encoding": (f"# caf\N{REPLACEMENT CHARACTER}\n{NAME}==1.0\n", "not_text"),
}

# Here a bump may refuse; what it must not do is to leave something else than was asked for.
NASTY: dict[str, str] = {
    "hash in a comment": f"{NAME}==1.0  # was {H}\nb==2 {H}\n",
    "hash in a comment of a file without hashes": f"{NAME}==1.0  # was {H}\nb==2\n",
    "hash only in a comment elsewhere": f"# {H}\n{NAME}==1.0\nb==2\n",
    "version broken in two": f"{NAME}==1.\\\n0\nb==2\n",
    "equals broken in two": f'{NAME}=\\\n=1.0 ; python_version >= "3" and os_name == "posix"\n',
    "name broken in two": "regression\\\n-model==1.0\nb==2\n",
    "hash broken from its option": f"{NAME}==1.0 --hash \\\n    {OLD}\n",
    "quoted hash": f'{NAME}==1.0 --hash="{OLD}"\n',
    "continued into a comment, in a hashed file": f"{NAME}==1.0 \\\n# via api\nb==2 {H}\n",
    "continued into a blank line, in a hashed file": f"{NAME}==1.0 \\\n\nb==2 {H}\n",
    "continued into nothing, in a hashed file": f"b==2 {H}\n{NAME}==1.0 \\",
    "comment, in a hashed file": f"{NAME}==1.0  # the model\nb==2 {H}\n",
    "windows, in a hashed file": f"{NAME}==1.0\r\nb==2 {H}\r\n",
    "no last newline, in a hashed file": f"b==2 {H}\n{NAME}==1.0",
    "marker, in a hashed file": f'{NAME}==1.0 ; os_name == "posix"\nb==2 {H}\n',
}
