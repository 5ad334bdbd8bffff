"""The container files fit the program: commands and settings are accepted, only the proxy is published, ports agree."""
from pathlib import Path
from typing import Any

import pytest
import yaml

from buttonwood.cli import parse
from buttonwood.listing import read_listing
from engine.config import load_config

ROOT = Path(__file__).parents[2]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
OURS = {name: service for name, service in COMPOSE["services"].items() if service.get("build")}


def test_every_process_has_its_container():
    assert set(COMPOSE["services"]) == {*OURS, "postgres", "redis", "front"}
    assert set(OURS) == {"exchange", "setup", "ledger", "market-data", "snapshots", "feed", "rest", "keys"}


def test_only_the_proxy_is_published():
    assert [name for name, service in COMPOSE["services"].items() if "ports" in service] == ["front"]


@pytest.mark.parametrize("name", OURS)
def test_commands_are_accepted(name):
    service = OURS[name]
    parsed = parse([*service.get("entrypoint", ["buttonwood"])[1:], *service["command"]])
    assert str(parsed.config) == "/etc/buttonwood/venue.toml"


def test_the_end_is_announced_in_time_before_containers_are_killed():
    notice = load_config(ROOT / "deploy" / "venue.toml").limits.shutdown_notice_seconds
    assert 5 <= notice < int(OURS["exchange"]["stop_grace_period"].removesuffix("s")) - 10


def test_the_settings_load_and_fit_the_proxy():
    config = load_config(ROOT / "deploy" / "venue.toml")
    proxy = (ROOT / "deploy" / "Caddyfile").read_text(encoding="utf-8")
    for name in ("exchange", "feed", "rest"):
        section = getattr(config, name)
        assert section.host == "0.0.0.0" and f"reverse_proxy {name}:{section.port}" in proxy


def test_containers_log_in_json():
    assert load_config(ROOT / "deploy" / "venue.toml").logs.format == "json"


def test_the_listing_is_sound():
    assert read_listing(ROOT / "deploy" / "listing.toml").requests()


def test_volumes_named_are_declared():
    used = {volume.split(":")[0] for service in COMPOSE["services"].values() for volume in service.get("volumes", [])}
    assert {name for name in used if not name.startswith(".")} == set(COMPOSE["volumes"])
    assert all((ROOT / name).exists() for name in used if name.startswith("."))
