"""Makes the targets of what is configured."""

from collections.abc import Callable, Mapping
from typing import Protocol

from pydantic import SecretStr

from bridge import configuration
from bridge.configuration import Pipeline, address
from bridge.errors import Misconfigured
from bridge.kit.clock import Clock
from bridge.kit.http import Door
from bridge.kit.outbound import is_https_or_here
from bridge.notify.people import People, is_installed
from bridge.notify.target import Target, Webhook
from bridge.publisher.webhook import key_of

MakeDoor = Callable[[str, str, None], Door]
"""The way to somebody of this name, at this address, without credentials."""


class Configured(Protocol):
    """What the settings say of targets; the addresses and secrets by name, with `_` for `-`."""

    pipeline: list[Pipeline]
    target: list[configuration.Target]
    target_urls: dict[str, SecretStr]
    target_secrets: dict[str, SecretStr]
    public_url: str
    private_hosts: list[str]


def targets_of(told: Configured, make_door: MakeDoor, clock: Clock) -> dict[str, Target]:
    """A target for each that is named. Raises Misconfigured, naming variables, never values, also
    for a pipeline that would tell nobody."""
    made = {target.name: _made(target, told, make_door, clock) for target in told.target}
    for pipeline in told.pipeline:
        for tell in pipeline.notify:
            if tell.to not in made:
                raise Misconfigured(f"pipeline {pipeline.name}: notify: no target is {tell.to}")
    return made


def _made(
    target: configuration.Target, told: Configured, make_door: MakeDoor, clock: Clock
) -> Target:
    name = target.name
    url = _told("TARGET_URLS", name, told.target_urls)
    if target.kind == "apprise":
        if not is_installed():
            raise Misconfigured(f"target {name}: pip install 'model-bridge[notify]'")
        return People(name, url, told.public_url, private_hosts=told.private_hosts)
    if not _may_be_posted_to(url):
        raise Misconfigured(f"target {name}: a webhook's address begins with https://, no user")
    parts = _told("TARGET_SECRETS", name, told.target_secrets).split(",")
    keys = [key_of(part.strip()) for part in parts if part.strip()]
    return Webhook(make_door(name, url, None), url, keys, clock)


def _may_be_posted_to(url: str) -> bool:
    try:
        return is_https_or_here(address(url))
    except ValueError:
        return False


def _told(group: str, name: str, values: Mapping[str, SecretStr]) -> str:
    variable = name.replace("-", "_")
    value = values.get(variable)
    if value is None or not value.get_secret_value().strip():
        raise Misconfigured(f"target {name}: BRIDGE_{group}__{variable.upper()} is not set")
    return value.get_secret_value().strip()
