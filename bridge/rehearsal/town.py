"""The rehearsal's town: every neighbour on a port of its own, and a real bridge among them."""

import base64
import os
import secrets
import shutil
import subprocess
import tempfile
import urllib.parse
from collections.abc import Callable, Collection
from pathlib import Path

import bridge
from bridge.errors import Misconfigured
from bridge.kit.clock import system_clock
from bridge.rehearsal.circleci import CircleCI, Report
from bridge.rehearsal.gemfury import Gemfury
from bridge.rehearsal.github import GitHub
from bridge.rehearsal.heroku import Heroku
from bridge.rehearsal.heroku.runner import RealRunner
from bridge.rehearsal.hosting import Hosting, free_port
from bridge.rehearsal.postman import Postman
from bridge.rehearsal.process import BridgeProcess

ACCOUNT, REPOSITORY, APP, PACKAGE = (
    "acme",
    "acme/model-deployment",
    "house-prices-api",
    "regression-model",
)
PROJECT = f"gh/{REPOSITORY}"
SEEDED = (".circleci", "api", "regression_model", "docs/model_card.schema.json")
CONFIGURATION = """\
public_url = "{bridge}"
sweep_every = "5s"

[[pipeline]]
name         = "house-prices"
package      = "{package}"
index        = "{index}"
repository   = "{repository}"
branch       = "main"
requirements = "api/requirements.txt"
app          = "{app}"
app_root     = "api"
api_url      = "{api}"
deploy       = "build"
circleci     = {{ project = "{project}", workflow = "regression-model" }}
labels       = ["model"]
reviewers    = ["octocat"]

[pipeline.policy]
merge    = "{merge}"
verify   = {{ matches = 3, every = "200ms", within = "2m" }}
rollback = "auto"
resolve  = {resolve}
gates    = {{ rmse = {{ may_grow = "2%" }}, r2 = {{ may_shrink = "2%", at_least = 0.8 }} }}
"""


class Town:
    """Everybody in `folder`; `stop` ends every process and thread and removes the folder.

    With `strangers` there is a public index, which the bridge is told of and the installer sees.
    `policy` is who merges, and further lines of the policy.
    """

    def __init__(
        self,
        tell: Callable[[str], None],
        lost: Collection[str] = (),
        *,
        strangers: bool = False,
        policy: tuple[str, str] = ("auto", ""),
    ) -> None:
        project = checkout()
        self.folder = Path(tempfile.mkdtemp(prefix="bridge-rehearsal-"))
        self._hosting = Hosting()
        token = {
            name: f"{name}-{secrets.token_urlsafe(24)}"
            for name in ("github", "heroku", "push", "read")
        }
        secret = {name: secrets.token_urlsafe(32) for name in ("github", "heroku", "circleci")}
        secret["publisher"] = "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()
        port = free_port()
        self.postman = Postman(f"http://127.0.0.1:{port}", lost)
        post = self.postman.post

        github_socket, github_url = self._hosting.reserve()
        self.github = GitHub(
            self.folder / "github",
            repository=REPOSITORY,
            token=token["github"],
            webhook_secret=secret["github"],
            post=post,
            clock=system_clock,
            url=github_url,
        )
        self.github.rules.checks.add("bridge/gate")
        self._hosting.serve(self.github.app, github_socket)

        index_socket, index_url = self._hosting.reserve()
        self.index = Gemfury(
            self.folder / "index",
            account=ACCOUNT,
            push_token=token["push"],
            read_token=token["read"],
            url=index_url,
        )
        self._hosting.serve(self.index.app, index_socket)
        read_url = _with_user(self.index.index_url, token["read"])

        public_socket, public_url = self._hosting.reserve()
        self.public = Gemfury(
            self.folder / "public",
            account="simple",
            push_token=token["push"],
            read_token=None,
            url=public_url,
        )
        self._hosting.serve(self.public.app, public_socket)
        installs_from = f"{read_url} {self.public.index_url}" if strangers else read_url

        heroku_socket, heroku_url = self._hosting.reserve()
        router_socket, self.api_url = self._hosting.reserve()
        self.heroku = Heroku(
            app_name=APP,
            token=token["heroku"],
            webhook_secret=secret["heroku"],
            post=post,
            clock=system_clock,
            runner=RealRunner(self.folder / "heroku", os.environ),
            config_vars={"PIP_EXTRA_INDEX_URL": installs_from},
            url=heroku_url,
        )
        self._hosting.serve(self.heroku.app, heroku_socket)
        self._hosting.serve(self.heroku.router, router_socket)

        self.ci = CircleCI(
            repository=self.github.bare,
            project=PROJECT,
            contexts={
                "gemfury-pull": {"PIP_EXTRA_INDEX_URL": read_url},
                "gemfury-push": {
                    "GEMFURY_PUSH_URL": self.index.push_url,
                    "GEMFURY_PUSH_TOKEN": token["push"],
                },
                "bridge": {
                    "BRIDGE_URL": f"http://127.0.0.1:{port}",
                    "BRIDGE_WEBHOOK_SECRETS__PUBLISHER": secret["publisher"],
                },
                "kaggle": {},
                "heroku": {},
            },
            secret=secret["circleci"],
            post=post,
            report=self._report,
            folder=self.folder / "ci",
            tell=tell,
        )
        (self.folder / "bridge.toml").write_text(
            CONFIGURATION.format(
                bridge=f"http://127.0.0.1:{port}",
                package=PACKAGE,
                index=self.index.index_url,
                repository=REPOSITORY,
                app=APP,
                api=self.api_url,
                project=PROJECT,
                resolve="false" if strangers else "true",  # a stranger's index has nothing else
                merge=policy[0],
            )
            + policy[1]
        )
        self.bridge = BridgeProcess(
            self.folder,
            port,
            {
                "BRIDGE_CONFIG": str(self.folder / "bridge.toml"),
                "BRIDGE_DATABASE_URL": f"sqlite:///{self.folder / 'bridge.db'}",
                "BRIDGE_WEBHOOK_SECRETS__PUBLISHER": secret["publisher"],
                "BRIDGE_WEBHOOK_SECRETS__CIRCLECI": secret["circleci"],
                "BRIDGE_WEBHOOK_SECRETS__GITHUB": secret["github"],
                "BRIDGE_WEBHOOK_SECRETS__HEROKU": secret["heroku"],
                "BRIDGE_GITHUB__URL": github_url,
                "BRIDGE_GITHUB__TOKEN": token["github"],
                "BRIDGE_HEROKU__URL": heroku_url,
                "BRIDGE_HEROKU__TOKEN": token["heroku"],
                "BRIDGE_INDEX__TOKEN": token["read"],
                **({"BRIDGE_PUBLIC_INDEX": self.public.index_url} if strangers else {}),
            },
        )
        self.first_commit = self.github.seed(tracked(project), "House prices: model and API")
        self.github.on_push.append(self.ci.push)

    def reconfigure(self, lines: str) -> None:
        """An operator adds lines to the policy and starts the bridge again."""
        with (self.folder / "bridge.toml").open("a") as configuration:
            configuration.write(lines)
        self.bridge.stop()
        self.bridge.start()

    def stop(self) -> None:
        """End what was started, in an order in which nobody waits for somebody gone."""
        self.bridge.stop()
        self.ci.stop()
        self.postman.stop()
        self._hosting.submit(self.heroku.close()).result(timeout=30)
        self._hosting.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _report(self, report: Report) -> None:
        self.github.set_status(
            report.sha,
            report.state,
            report.context,
            "circleci",
            report.description,
            report.target_url,
        )


def checkout() -> Path:
    """The checkout that this bridge runs from; raises Misconfigured for an installed one."""
    root = Path(bridge.__file__).parent.parent
    if not all((root / part).exists() for part in SEEDED):
        raise Misconfigured(
            "the rehearsal plays with the model and the API beside it: run it from a checkout"
        )
    return root


def tracked(root: Path) -> dict[str, bytes]:
    """The files of model, API and CI, as git sees them: nothing that is ignored."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", *SEEDED],
        cwd=root,
        capture_output=True,
        check=True,
    )
    names = [name for name in listed.stdout.decode().split("\0") if name]
    return {name: (root / name).read_bytes() for name in names if (root / name).is_file()}


def _with_user(url: str, user: str) -> str:
    parts = urllib.parse.urlsplit(url)
    return parts._replace(netloc=f"{user}:@{parts.netloc}").geturl()
