"""All settings of an installation, read once from the environment and `.env`, and validated with words.

It knows which settings exist and what a safe value is; what a setting is used for is told where it is used.
"""

from __future__ import annotations

import json
import os
import re
import secrets
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, NoDecode, PydanticBaseSettingsSource, SettingsConfigDict

from pulse_dash.core import regions
from pulse_dash.core.outbound import Allowed, allowed_from
from pulse_dash.core.plans import PLANS, days_by_plan
from pulse_dash.core.regions import Region

_MINIMUM_SECRET = 32
_FEWEST_CHARACTERS = 8
_ORIGIN = re.compile(r"https?://(?:[a-z0-9._-]+|\[[0-9a-f:.]+\])(?::[0-9]{1,5})?")
_WELL_KNOWN_SECRETS = frozenset({"secret", "devkey", "changeme", "change-me", "password", "secret" * 6})
_GENERATED = ("jwt_secret", "api_key_pepper", "encryption_keys")
_DEVELOPMENT_LIVEKIT = ("ws://127.0.0.1:7880", "devkey", "secret")

SignupPolicy = Literal["open", "first", "invite", "closed"]


class SettingsError(Exception):
    """A setting stops the start; the message is the one line that names it, never its value."""


class _FromFile(PydanticBaseSettingsSource):
    """Reads `NAME` from the file that `NAME_FILE` names, as container secrets are handed over."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        path = os.environ.get(f"{field_name.upper()}_FILE")
        if not path:
            return None, field_name, False
        try:
            value = Path(path).read_text(encoding="utf-8").strip()
        except UnicodeError:
            raise SettingsError(f"{field_name.upper()}_FILE holds no text.") from None
        except OSError as error:
            raise SettingsError(f"{field_name.upper()}_FILE cannot be read: {error.strerror}.") from error
        if not value:
            # An empty token would be one that everybody sends.
            raise SettingsError(f"{field_name.upper()}_FILE is empty.")
        return value, field_name, False

    def __call__(self) -> dict[str, Any]:
        named = {name: self.get_field_value(field, name)[0] for name, field in self.settings_cls.model_fields.items()}
        return {name: value for name, value in named.items() if value is not None}


class Settings(BaseSettings):
    """One installation's settings. Field descriptions are the README's settings table."""

    model_config = SettingsConfigDict(
        env_file=".env", extra="ignore", env_ignore_empty=True, hide_input_in_errors=True, frozen=True
    )

    pulse_env: Literal["development", "production"] = Field(
        "development", description="`production` refuses to start on a missing or default secret."
    )
    host: str = Field("", description="Address to listen on: 127.0.0.1 in development, 0.0.0.0 in production.")
    port: int = Field(8000, ge=1, le=65535, description="Port of dashboard and API.")
    public_url: str = Field(
        "",
        description="The address people use; links, cookies and allowed origins come from it. Default `http://localhost:PORT`; required in production.",
    )
    pulse_data_dir: Path = Field(Path(".pulse"), description="Embedded store and generated development secrets.")
    mongo_uri: SecretStr | None = Field(None, description="`mongodb://…`; without it the embedded store is used.")
    mongo_db_name: str = Field("pulse", pattern=r"^[A-Za-z0-9_-]{1,38}$", description="Database name on that server.")
    mongo_pool_size: int = Field(100, ge=1, le=1000, description="Connections of this node to each MongoDB server.")
    mongo_timeout_seconds: int = Field(
        10, ge=1, le=60, description="How long one question to MongoDB may take before it is given up."
    )
    livekit_host: str = Field(
        "",
        description="LiveKit's address as clients reach it, `ws://` or `wss://`. In development `ws://127.0.0.1:7880`.",
    )
    livekit_api_key: str = Field("", description="LiveKit's API key. In development `devkey`.")
    livekit_api_secret: SecretStr = Field(SecretStr(""), description="LiveKit's API secret. In development `secret`.")
    regions: SecretStr = Field(
        SecretStr(""),
        description="Regions, the first the default: a JSON list, or the file that holds it, of `{name}`, or `{name, url, key, secret}` for one whose projects run on a LiveKit of its own, with a key of its own.",
    )
    r2_account_id: str = Field("", description="Cloudflare's account, whose R2 address is then the default.")
    r2_access_key_id: str = Field("", description="Access key of the installation's bucket.")
    r2_secret_access_key: SecretStr = Field(SecretStr(""), description="Its secret.")
    r2_bucket_name: str = Field(
        "", description="The installation's bucket: where projects without one of their own store."
    )
    r2_endpoint: str = Field("", description="Address of any S3: `https://…`. By default that of `R2_ACCOUNT_ID`.")
    r2_region: str = Field("auto", description="Region of that bucket.")
    jwt_secret: SecretStr = Field(
        SecretStr(""), description="Signs sessions and access tokens, at least 32 characters. Generated in development."
    )
    api_key_pepper: SecretStr = Field(
        SecretStr(""),
        description="Goes into the hash of every API secret, at least 32 characters. Generated in development.",
    )
    encryption_keys: SecretStr = Field(
        SecretStr(""),
        description="Encrypt what Pulse must read again, at least 32 characters each, comma separated: the first writes, all read. Generated in development.",
    )
    audit_signing_key: SecretStr = Field(
        SecretStr(""),
        description="Signs the audit log's checkpoints, at least 32 characters; comma separated: the first signs, all verify. Without it one is made and kept sealed by `ENCRYPTION_KEYS`.",
    )
    audit_retention_days: Annotated[dict[str, int], NoDecode] = Field(
        dict.fromkeys(PLANS, 365),
        description="How long the audit log is kept, 30 days or more: one number, or by plan as `free=90,pro=365,enterprise=730`.",
    )
    cors_origins: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description="Origins, comma separated, whose pages may call the API from a browser."
    )
    trusted_proxies: Annotated[tuple[IPv4Network | IPv6Network, ...], NoDecode] = Field(
        (), description="Networks, comma separated, whose X-Forwarded-For is believed."
    )
    outbound_allow: Annotated[tuple[Allowed, ...], NoDecode] = Field(
        (),
        description="`purpose=host:port`, comma separated, purposes `webhook`, `livekit`, `storage`, `rtmp`, `ingress`: private addresses that tenants may name. The installation's own settings need none.",
    )
    webhook_retry_schedule: Annotated[tuple[Annotated[int, Field(ge=1, le=86_400)], ...], NoDecode] = Field(
        (300, 600, 1800),
        max_length=20,
        description="Seconds, comma separated: the pauses after each attempt of a webhook's delivery that failed; after the last it is dead until replayed.",
    )
    real_join: bool = Field(
        True, description="Whether status tries a real join every 15 seconds, in a process of its own of about 60 MB."
    )
    signup: SignupPolicy | None = Field(
        None,
        description="`open`, `first`, `invite` or `closed`: `open` in development, `first` in production. "
        "With `invite` and `closed` nobody makes the first account: begin with `first`.",
    )
    smtp_url: SecretStr | None = Field(
        None,
        description="`smtp://user:password@host:587?from=pulse@example.com` or `smtps://…`. Without it mails in development lie at `/outbox`, on this machine alone.",
    )
    metrics_token: SecretStr | None = Field(
        None, description="Bearer token for `/metrics`; without it only loopback may read."
    )
    stale_keys_seconds: int = Field(
        5, ge=0, le=3600, description="How long keys verified before keep working while the database can't be read."
    )
    rate_limit_project_per_minute: int = Field(100_000, ge=1, description="Requests a minute and project.")
    rate_limit_user_per_minute: int = Field(300, ge=1, description="Requests a minute and user.")
    rate_limit_ip_per_minute: int = Field(
        100, ge=1, description="Requests a minute and address without valid credentials."
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, env_settings, _FromFile(settings_cls), dotenv_settings

    @field_validator("cors_origins", "trusted_proxies", "webhook_retry_schedule", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value

    @field_validator("trusted_proxies", mode="before")
    @classmethod
    def _networks(cls, value: object) -> object:
        try:
            return [ip_network(part) for part in value] if isinstance(value, list) else value
        except ValueError:
            raise ValueError("each is a network such as 10.0.0.0/8") from None

    @field_validator("outbound_allow", mode="before")
    @classmethod
    def _allowed(cls, value: object) -> object:
        parts = cls._split(value)
        return [allowed_from(part) for part in parts] if isinstance(parts, list) else parts  # pyright: ignore[reportUnknownArgumentType,reportUnknownVariableType]

    @field_validator("audit_retention_days", mode="before")
    @classmethod
    def _days_by_plan(cls, value: object) -> object:
        return days_by_plan(value) if isinstance(value, str) else value

    @field_validator("public_url")
    @classmethod
    def _an_origin(cls, url: str) -> str:
        """Links, cookies and allowed origins come from it, so a slip here would surface far away."""
        # As browsers write an origin: in small letters, without a name and password.
        origin = url.lower()
        if url and not _ORIGIN.fullmatch(origin.rstrip("/")):
            raise ValueError("it is http:// or https:// with a host, and no path")
        return origin

    @field_validator("regions")
    @classmethod
    def _named_regions(cls, listed: SecretStr) -> SecretStr:
        regions.read(listed.get_secret_value())
        return listed

    @field_validator("cors_origins")
    @classmethod
    def _exact_origins(cls, origins: tuple[str, ...]) -> tuple[str, ...]:
        for origin in origins:
            parts = urlsplit(origin)
            if parts.scheme not in {"http", "https"} or not parts.netloc or parts.path or "*" in origin:
                raise ValueError("each origin is scheme://host[:port], without a path or a wildcard")
        # As browsers write them.
        return tuple(origin.lower() for origin in origins)

    @property
    def livekit_command(self) -> str:
        """What starts a LiveKit in this checkout that tells this Pulse, and no other, of its rooms."""
        usual = type(self).model_fields["port"].default
        return "make livekit" if self.port == usual else f"make livekit PORT={self.port}"

    @property
    def production(self) -> bool:
        return self.pulse_env == "production"

    @property
    def data_dir(self) -> Path:
        return self.pulse_data_dir.expanduser().absolute()

    @property
    def https(self) -> bool:
        return self.public_url.startswith("https://")

    @property
    def cookie_name(self) -> str:
        """`__Host-` where the browser allows it: the prefix needs https (RFC 6265bis, 4.1.3.2)."""
        return "__Host-pulse" if self.https else "pulse_session"

    @property
    def challenge_cookie_name(self) -> str:
        """The same between a right password and the code that has to follow."""
        return "__Host-pulse-challenge" if self.https else "pulse_challenge"


def read_settings(**overrides: Any) -> Settings:
    """The settings with what they imply, and no secret made or checked. Raises SettingsError as `load_settings` does."""
    try:
        return _with_what_follows(Settings(**overrides))
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        name = str(first["loc"][0]).upper() if first["loc"] else "A setting"
        raise SettingsError(f"{name} is not usable: {first['msg']}.") from None


def load_settings(**overrides: Any) -> Settings:
    """Read, complete and check the settings. Raises SettingsError with one line that names the setting."""
    settings = read_settings(**overrides)
    if settings.production:
        _refuse_weak_secrets(settings)
        return settings
    return _with_development_secrets(settings)


def _with_what_follows(settings: Settings) -> Settings:
    """Fill what follows from the other settings: addresses, the sign-up policy, and LiveKit's development values."""
    production = settings.production
    follows: dict[str, object] = {
        "host": settings.host or ("0.0.0.0" if production else "127.0.0.1"),  # noqa: S104 - a container listens on all of its addresses
        "public_url": settings.public_url.rstrip("/") or ("" if production else f"http://localhost:{settings.port}"),
        "signup": settings.signup or ("first" if production else "open"),
    }
    if settings.r2_bucket_name:
        follows["r2_endpoint"] = _r2_endpoint(settings)
    if not production and not settings.livekit_host:
        url, key, secret = _DEVELOPMENT_LIVEKIT
        follows["livekit_host"] = url
        follows["livekit_api_key"] = settings.livekit_api_key or key
        follows["livekit_api_secret"] = SecretStr(settings.livekit_api_secret.get_secret_value() or secret)
    for region in regions_of(settings):
        if region.url and region.api_key == follows.get("livekit_api_key", settings.livekit_api_key):
            # Which server speaks to us, and which one a token opens, is told by the key alone.
            raise SettingsError(f"The region {region.name} in REGIONS has the LIVEKIT_API_KEY; give it one of its own.")
    return settings.model_copy(update=follows)


def regions_of(settings: Settings) -> tuple[Region, ...]:
    """The regions that `REGIONS` names."""
    return regions.read(settings.regions.get_secret_value())


def _r2_endpoint(settings: Settings) -> str:
    """Where the bucket is. A bucket without both keys would be opened with the machine's own, so it stops the start."""
    if not settings.r2_access_key_id:
        raise SettingsError("R2_ACCESS_KEY_ID is missing; R2_BUCKET_NAME is set.")
    if not settings.r2_secret_access_key.get_secret_value():
        raise SettingsError("R2_SECRET_ACCESS_KEY is missing; R2_BUCKET_NAME is set.")
    if not settings.r2_endpoint and not settings.r2_account_id:
        raise SettingsError("R2_ENDPOINT or R2_ACCOUNT_ID is missing; R2_BUCKET_NAME is set.")
    return settings.r2_endpoint or f"https://{settings.r2_account_id}.r2.cloudflarestorage.com"


def _refuse_weak_secrets(settings: Settings) -> None:
    if not settings.public_url:
        raise SettingsError("PUBLIC_URL is missing; production needs the address that people use.")
    for name, secret in (("JWT_SECRET", settings.jwt_secret), ("API_KEY_PEPPER", settings.api_key_pepper)):
        _refuse_weak_secret(name, secret.get_secret_value())
    for key in settings.encryption_keys.get_secret_value().split(","):
        _refuse_weak_secret("ENCRYPTION_KEYS", key.strip())
    for key in filter(None, settings.audit_signing_key.get_secret_value().split(",")):
        _refuse_weak_secret("AUDIT_SIGNING_KEY", key.strip())
    for region in regions_of(settings):
        if region.url:
            _refuse_weak_secret("A secret in REGIONS", region.api_secret.reveal())
    if settings.livekit_host:
        if not settings.livekit_api_key:
            raise SettingsError("LIVEKIT_API_KEY is missing; LIVEKIT_HOST is set.")
        _refuse_weak_secret("LIVEKIT_API_SECRET", settings.livekit_api_secret.get_secret_value())


def _refuse_weak_secret(name: str, value: str) -> None:
    if not value:
        raise SettingsError(f"{name} is missing; production needs one of at least {_MINIMUM_SECRET} characters.")
    if value.lower() in _WELL_KNOWN_SECRETS:
        raise SettingsError(f"{name} is a default that everybody knows; production needs one of its own.")
    if len(value) < _MINIMUM_SECRET:
        raise SettingsError(f"{name} is too short; production needs at least {_MINIMUM_SECRET} characters.")
    if len(set(value)) < _FEWEST_CHARACTERS:
        raise SettingsError(f"{name} repeats a few characters; production needs a random one.")


def _with_development_secrets(settings: Settings) -> Settings:
    """Fill what is missing from `secrets.json` in the data folder, made at the first start."""
    wanted = [name for name in _GENERATED if not getattr(settings, name).get_secret_value()]
    if not wanted:
        return settings
    kept = _development_secrets(settings.data_dir / "secrets.json")
    return settings.model_copy(update={name: SecretStr(kept[name]) for name in wanted})


def _development_secrets(path: Path) -> dict[str, str]:
    previous = os.umask(0o077)
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        fresh = {name: secrets.token_urlsafe(48) for name in _GENERATED}
        draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
        draft.write_text(json.dumps(fresh), encoding="utf-8")
        try:
            # A hard link appears whole or not at all, and never over a file that another start made first.
            os.link(draft, path)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
        kept = _with_encryption_keys(path, json.loads(path.read_text(encoding="utf-8")), fresh["encryption_keys"])
    except (OSError, ValueError) as error:
        raise SettingsError(f"PULSE_DATA_DIR cannot keep the development secrets in {path}: {error}.") from error
    finally:
        os.umask(previous)
    if not isinstance(kept, dict) or not all(isinstance(kept.get(name), str) for name in fresh):
        raise SettingsError(f"PULSE_DATA_DIR holds other than development secrets in {path}; remove that file.")
    return kept


def _with_encryption_keys(path: Path, kept: object, fresh: str) -> Any:
    """What a data folder from before there were encryption keys holds, completed."""
    older = ("jwt_secret", "api_key_pepper")
    if not isinstance(kept, dict) or "encryption_keys" in kept or not all(isinstance(kept.get(n), str) for n in older):
        return kept
    whole = {**kept, "encryption_keys": fresh}
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    draft.write_text(json.dumps(whole), encoding="utf-8")
    draft.replace(path)
    return whole
