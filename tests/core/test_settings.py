"""Settings: production starts on no missing or default secret, development makes its own, no value is ever shown."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import pulse_dash
from pulse_dash.settings import Settings, SettingsError, load_settings

STRONG = "a-strong-secret-of-forty-two-characters-01"
PRODUCTION = {
    "PULSE_ENV": "production",
    "PUBLIC_URL": "https://pulse.example.com",
    "JWT_SECRET": STRONG + "jwt",
    "API_KEY_PEPPER": STRONG + "pepper",
    "ENCRYPTION_KEYS": STRONG + "first," + STRONG + "second",
    "LIVEKIT_HOST": "wss://livekit.example.com",
    "LIVEKIT_API_KEY": "APIkey",
    "LIVEKIT_API_SECRET": STRONG + "livekit",
}
Environment = Callable[..., None]


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Environment:
    """Sets these variables, and no other of ours is set."""
    monkeypatch.chdir(tmp_path)
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
        monkeypatch.delenv(f"{name.upper()}_FILE", raising=False)
    monkeypatch.setenv("PULSE_DATA_DIR", str(tmp_path / "data"))

    def change(**variables: str | None) -> None:
        for name, value in variables.items():
            if value is None:
                monkeypatch.delenv(name, raising=False)
            else:
                monkeypatch.setenv(name, value)

    return change


def test_production_starts_with_all_of_them(environment: Environment) -> None:
    environment(**PRODUCTION)

    settings = load_settings()

    assert (settings.host, settings.signup, settings.https) == ("0.0.0.0", "first", True)  # noqa: S104
    assert settings.cookie_name == "__Host-pulse"


@pytest.mark.parametrize(
    "name",
    ["PUBLIC_URL", "JWT_SECRET", "API_KEY_PEPPER", "ENCRYPTION_KEYS", "LIVEKIT_API_KEY", "LIVEKIT_API_SECRET"],
)
@pytest.mark.parametrize("value", [None, ""], ids=["missing", "empty"])
def test_production_does_not_start_without(environment: Environment, name: str, value: str | None) -> None:
    environment(**{**PRODUCTION, name: value})

    with pytest.raises(SettingsError) as refused:
        load_settings()
    assert str(refused.value).startswith(f"{name} ")
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("name", ["JWT_SECRET", "API_KEY_PEPPER", "ENCRYPTION_KEYS", "LIVEKIT_API_SECRET"])
@pytest.mark.parametrize("value", ["secret", "SECRET", "devkey", "changeme", "password", "secret" * 6, "x" * 31])
def test_production_does_not_start_on_a_default_or_short_secret(
    environment: Environment, name: str, value: str
) -> None:
    environment(**{**PRODUCTION, name: value})

    with pytest.raises(SettingsError) as refused:
        load_settings()
    assert str(refused.value).startswith(f"{name} ")
    assert value not in str(refused.value).replace(name, "")


WRONG = {
    "PULSE_ENV": "staging-Zx9",
    "PORT": "eighty-Zx9",
    "PUBLIC_URL": "pulse.example.com/Zx9",
    "MONGO_DB_NAME": "a/b Zx9",
    "CORS_ORIGINS": "https://a.example/Zx9",
    "TRUSTED_PROXIES": "Zx9.0.0.1",
    "SIGNUP": "perhaps-Zx9",
    "STALE_KEYS_SECONDS": "-1000009",
    "RATE_LIMIT_IP_PER_MINUTE": "none-Zx9",
}


@pytest.mark.parametrize("name", WRONG)
def test_a_bad_value_names_its_variable_and_is_not_shown(environment: Environment, name: str) -> None:
    environment(**{name: WRONG[name]})

    with pytest.raises(SettingsError) as refused:
        load_settings()
    assert str(refused.value).startswith(f"{name} is not usable: ")
    assert "Zx9" not in str(refused.value)
    assert "1000009" not in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("origin", ["*", "https://*.example.com", "https://a.example/", "a.example", "javascript:x"])
def test_an_origin_is_exact(environment: Environment, origin: str) -> None:
    environment(CORS_ORIGINS=f"https://fine.example,{origin}")

    with pytest.raises(SettingsError, match=r"^CORS_ORIGINS "):
        load_settings()


def test_an_origin_is_kept_as_browsers_write_it(environment: Environment) -> None:
    environment(CORS_ORIGINS="https://App.Example.com")

    assert load_settings().cors_origins == ("https://app.example.com",)


@pytest.mark.parametrize(("port", "command"), [("8000", "make livekit"), ("8171", "make livekit PORT=8171")])
def test_the_line_that_starts_livekit_names_a_port_of_ones_own(
    environment: Environment, port: str, command: str
) -> None:
    environment(PORT=port)

    assert load_settings().livekit_command == command


def test_a_secret_may_stand_in_a_file(environment: Environment, tmp_path: Path) -> None:
    (tmp_path / "jwt").write_text(STRONG + "from-file\n", encoding="utf-8")
    environment(**{**PRODUCTION, "JWT_SECRET": None, "JWT_SECRET_FILE": str(tmp_path / "jwt")})

    assert load_settings().jwt_secret.get_secret_value() == STRONG + "from-file"


def test_a_file_that_can_not_be_read_stops_the_start(environment: Environment, tmp_path: Path) -> None:
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    for path in (tmp_path / "nowhere", tmp_path, tmp_path / "binary"):
        environment(**{**PRODUCTION, "JWT_SECRET": None, "JWT_SECRET_FILE": str(path)})
        with pytest.raises(SettingsError, match=r"^JWT_SECRET_FILE "):
            load_settings()


def test_no_secret_is_printed_with_the_settings(environment: Environment) -> None:
    environment(**PRODUCTION, METRICS_TOKEN=STRONG + "metrics", MONGO_URI=f"mongodb://u:{STRONG}@127.0.0.1")

    assert STRONG not in repr(load_settings())
    assert STRONG not in str(load_settings())


def test_a_dot_env_is_read_and_the_environment_goes_before_it(environment: Environment, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("PORT=8123\nSIGNUP=closed\n", encoding="utf-8")
    environment(SIGNUP="invite")

    settings = load_settings()

    assert (settings.port, settings.signup) == (8123, "invite")


def test_development_needs_no_setting_at_all(environment: Environment) -> None:
    environment()

    settings = load_settings()

    assert (settings.host, settings.public_url, settings.signup) == ("127.0.0.1", "http://localhost:8000", "open")
    assert (settings.livekit_host, settings.livekit_api_key) == ("ws://127.0.0.1:7880", "devkey")
    assert settings.cookie_name == "pulse_session"


def test_development_makes_its_secrets_once_for_its_own_eyes(environment: Environment, tmp_path: Path) -> None:
    environment()

    first, second = load_settings(), load_settings()

    kept = tmp_path / "data" / "secrets.json"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert stat.S_IMODE(kept.parent.stat().st_mode) == 0o700
    for name in ("jwt_secret", "api_key_pepper", "encryption_keys"):
        secret = getattr(first, name).get_secret_value()
        assert len(secret) >= 32
        assert secret == getattr(second, name).get_secret_value() == json.loads(kept.read_text())[name]
    assert [path.name for path in kept.parent.iterdir()] == ["secrets.json"]


def test_a_data_folder_from_before_there_were_encryption_keys_gets_some_and_keeps_the_rest(
    environment: Environment, tmp_path: Path
) -> None:
    environment()
    load_settings()
    kept = tmp_path / "data" / "secrets.json"
    older = {name: secret for name, secret in json.loads(kept.read_text()).items() if name != "encryption_keys"}
    kept.write_text(json.dumps(older), encoding="utf-8")

    first, second = load_settings(), load_settings()

    assert first.encryption_keys.get_secret_value() == second.encryption_keys.get_secret_value() != ""
    assert {name: getattr(first, name).get_secret_value() for name in older} == older
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert [path.name for path in kept.parent.iterdir()] == ["secrets.json"]


def test_two_starts_at_once_agree_on_the_secrets(environment: Environment, tmp_path: Path) -> None:
    environment()
    code = "from pulse_dash.settings import load_settings; print(load_settings().jwt_secret.get_secret_value())"
    root = Path(pulse_dash.__file__).parents[1]
    starts = [
        subprocess.Popen(
            [sys.executable, "-c", code],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(root)},
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(4)
    ]

    secrets = {start.communicate(timeout=60)[0].strip() for start in starts}

    assert len(secrets) == 1
    assert secrets != {""}


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"jwt_secret": 7, "api_key_pepper": "x"}'])
def test_secrets_that_were_damaged_stop_the_start_with_a_sentence(
    environment: Environment, tmp_path: Path, content: str
) -> None:
    environment()
    (tmp_path / "data").mkdir(mode=0o700)
    (tmp_path / "data" / "secrets.json").write_text(content, encoding="utf-8")

    with pytest.raises(SettingsError, match=r"^PULSE_DATA_DIR "):
        load_settings()


@pytest.mark.parametrize("name", ["METRICS_TOKEN", "MONGO_URI", "JWT_SECRET"])
def test_an_empty_secret_file_stops_the_start(environment: Environment, tmp_path: Path, name: str) -> None:
    (tmp_path / "empty").write_text(" \n")
    environment(**PRODUCTION, **{f"{name}_FILE": str(tmp_path / "empty")})

    with pytest.raises(SettingsError, match=f"{name}_FILE is empty"):
        load_settings()


@pytest.mark.parametrize("secret", [" " * 40, "a" * 64, "abc" * 20])
def test_a_long_secret_of_few_characters_stops_production(environment: Environment, secret: str) -> None:
    environment(**{**PRODUCTION, "JWT_SECRET": secret})

    with pytest.raises(SettingsError, match="JWT_SECRET"):
        load_settings()


def test_an_address_in_capitals_is_the_same_address(environment: Environment) -> None:
    environment(**{**PRODUCTION, "PUBLIC_URL": "HTTPS://Pulse.Example.com/"})

    settings = load_settings()

    assert (settings.public_url, settings.https) == ("https://pulse.example.com", True)


@pytest.mark.parametrize(
    "url", ["https://a:b@pulse.example.com", "https://pulse.example.com; script-src *", "https://a\r\nX: y"]
)
def test_an_address_is_an_origin_and_nothing_beside_it(environment: Environment, url: str) -> None:
    environment(**{**PRODUCTION, "PUBLIC_URL": url})

    with pytest.raises(SettingsError, match="PUBLIC_URL"):
        load_settings()


def test_what_tenants_may_name_is_written_as_purpose_and_place(environment: Environment) -> None:
    environment(OUTBOUND_ALLOW="storage=minio:9000, livekit=[::1]:7880")
    assert [(each.purpose, each.host, each.port) for each in load_settings().outbound_allow] == [
        ("storage", "minio", 9000),
        ("livekit", "::1", 7880),
    ]

    environment(OUTBOUND_ALLOW="minio:9000")
    with pytest.raises(SettingsError, match="OUTBOUND_ALLOW"):
        load_settings()


@pytest.mark.parametrize("weak", ["a-few-letters", "x" * 40, f"{STRONG},a-few-letters"])
def test_a_weak_signing_key_of_the_audit_log_stops_production_and_none_does_not(
    environment: Environment, weak: str
) -> None:
    environment(**PRODUCTION, AUDIT_SIGNING_KEY=weak)

    with pytest.raises(SettingsError, match="AUDIT_SIGNING_KEY") as stopped:
        load_settings()
    assert weak not in str(stopped.value)
    environment(AUDIT_SIGNING_KEY=None)
    assert load_settings().audit_signing_key.get_secret_value() == ""


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("90", [90, 90, 90]),
        ("free=30, pro=365,enterprise=730", [30, 365, 730]),
        ("pro=400,365", [365, 400, 365]),
    ],
)
def test_the_audit_log_is_kept_so_many_days_for_all_or_by_plan(
    environment: Environment, text: str, days: list[int]
) -> None:
    environment(AUDIT_RETENTION_DAYS=text)

    assert load_settings().audit_retention_days == dict(zip(("free", "pro", "enterprise"), days, strict=True))


@pytest.mark.parametrize("text", ["29", "0", "-1", "x", "1.5", "free=90", "gold=90,365", "36501", ","])
def test_days_that_the_audit_log_cannot_be_kept_are_refused(environment: Environment, text: str) -> None:
    environment(AUDIT_RETENTION_DAYS=text)

    with pytest.raises(SettingsError, match="AUDIT_RETENTION_DAYS"):
        load_settings()
