"""Two models in one app: what happens to one takes nothing of the other back."""

import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from bridge.release import Stage
from bridge.store import releases
from tests.rehearsal_kit import wheel
from tests.stories.town import Town

PINNED = "api/requirements.txt"
CELLARS = "cellar-model"


async def upload_cellars(town: Town, version: str) -> None:
    """Another model for the same app, which nobody announces."""
    file, data = wheel("cellar_model", version, {"cellar_model/__init__.py": b""})
    transport = httpx.ASGITransport(town.index.app)
    async with httpx.AsyncClient(transport=transport, base_url="http://index.test") as client:
        answer = await client.post(
            town.index.push_url,
            files={"package": (file, data)},
            auth=("made-up-push-token", ""),
            headers={"accept": "application/json"},
        )
    assert answer.status_code == 200


def cellars_served(town: Town) -> str:
    """The version of the other model that runs now, by the commit of its slug."""
    current = town.heroku.current
    assert current is not None
    assert current.slug is not None
    blob = town.github.git.read(f"{current.slug.commit}:{PINNED}")
    assert blob is not None
    return blob[2].decode().partition(f"{CELLARS}==")[2].split()[0]


async def two_on_one_app(town: Town) -> None:
    """Another model goes into the same app, by a pipeline of its own."""

    async def health(request: Request) -> JSONResponse:
        return JSONResponse({"model_version": cellars_served(town)})

    town.others["http://cellars.test"] = Starlette(routes=[Route("/api/v1/health", health)])
    pin = f"{CELLARS}==1.0.0 \\\n    --hash=sha256:{'0' * 64}\n"
    town.github.commit("main", {PINNED: (town.pinned() + pin).encode()}, "Cellars", "rosa")
    more = {"name": "cellars", "package": CELLARS, "api_url": "http://cellars.test"}
    town.pipelines.append(town.pipeline.model_copy(update={**more, "circleci": None}))
    await town.restart()


async def test_a_rollback_takes_nothing_of_another_pipeline_back(town: Town) -> None:
    await two_on_one_app(town)
    await town.publish("0.1.0")
    await town.run()
    town.runner.stuck_version = "0.1.0"
    await upload_cellars(town, "1.1.0")
    await town.run()
    found = town.ask(lambda session: releases.find(session, CELLARS, "1.1.0"))
    assert [Stage.VERIFIED] == [one.stage for one in found]
    await town.publish("0.1.1")
    await town.run()
    town.runner.stuck_version = None
    await town.run()
    assert Stage.ROLLED_BACK is town.release("0.1.1").stage
    assert "Rollback to v2" == town.heroku.releases[-1].description
    assert "1.1.0" == cellars_served(town)
    assert "0.1.0" == (await town.health())["model_version"]
    found = town.ask(lambda session: releases.find(session, CELLARS, "1.1.0"))
    assert [(Stage.VERIFIED, "verified")] == [(one.stage, one.code) for one in found]
    assert f"{CELLARS}==1.1.0 \\" in town.pinned()
    assert "regression-model==0.1.0 \\" in town.pinned()
