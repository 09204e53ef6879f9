"""Of the Heroku releases that could be put back, the right one is."""

import json
from datetime import datetime, timedelta

import httpx

from bridge.release import Stage
from tests.stories.town import Town


async def serves(town: Town) -> None:
    """0.1.0 is verified; whatever comes after it reports 0.1.0."""
    await town.publish("0.1.0")
    await town.run()
    town.runner.stuck_version = "0.1.0"


async def test_config_vars_set_before_the_bad_version_stay(town: Town) -> None:
    await serves(town)
    town.heroku.set_config({"DATABASE_URL": "rotated"}, "rosa@example.com")
    await town.run()
    await town.publish("0.1.1")
    await town.run()
    assert Stage.ROLLED_BACK is town.release("0.1.1").stage
    assert "Rollback to v2" == town.heroku.releases[-1].description
    assert "rotated" == town.heroku.config_vars["DATABASE_URL"]
    assert "undone" not in town.move("0.1.1", "rolled_back").sentence


async def test_config_vars_set_after_it_are_undone_and_named(town: Town) -> None:
    await serves(town)
    await town.publish("0.1.1")
    for _ in range(200):
        await town.run(patience=timedelta())
        if town.release("0.1.1").stage is Stage.DEPLOYED:
            break
        town.now += timedelta(seconds=1)
    town.heroku.set_config({"WORKERS": "2"}, "rosa@example.com")
    await town.run()
    assert Stage.ROLLED_BACK is town.release("0.1.1").stage
    assert (
        "undone with it: v3 (Set WORKERS config vars)" in town.move("0.1.1", "rolled_back").sentence
    )


async def test_what_was_built_anew_is_put_back_the_next_time(town: Town) -> None:
    await serves(town)
    town.heroku.expire(1)
    await town.publish("0.1.1")
    await town.run()
    await town.publish("0.1.2")
    await town.run()
    assert Stage.ROLLED_BACK is town.release("0.1.2").stage
    assert "Rollback to v3" == town.heroku.releases[-1].description
    assert 4 == len(town.heroku.builds), "nothing is built a third time"
    runs = town.release("0.1.0").facts.heroku
    assert runs is not None
    assert (5, town.heroku.releases[2].slug) == (runs.release, town.heroku.releases[4].slug)
    assert town.heroku.slugs[runs.slug or ""] == town.heroku.releases[2].slug


class Late(httpx.AsyncBaseTransport):
    """The way to a Heroku that does not list v3 the first five times; `asked` tells when."""

    def __init__(self, inner: httpx.AsyncBaseTransport, town: Town, asked: list[datetime]) -> None:
        self._inner, self._town, self._asked = inner, town, asked

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        answer = await self._inner.handle_async_request(request)
        if not request.url.path.endswith("/releases") or request.method != "GET":
            return answer
        listed = json.loads(await answer.aread())
        kept = [one for one in listed if one["version"] != 3 or len(self._asked) >= 5]
        if len(kept) < len(listed):
            self._asked.append(self._town.now)
        return httpx.Response(answer.status_code, json=kept, request=request)


async def test_a_build_that_is_listed_late_is_waited_for(town: Town) -> None:
    await serves(town)
    town.heroku.expire(1)
    asked: list[datetime] = []
    town._line = lambda inner: Late(inner, town, asked)
    await town.restart()
    await town.publish("0.1.1")
    await town.run()
    assert Stage.ROLLED_BACK is town.release("0.1.1").stage
    assert asked[-1] - asked[0] >= timedelta(seconds=4), "it is not asked all the time"
