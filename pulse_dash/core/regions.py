"""The regions of an installation: their names, and which of them have a LiveKit of their own.

It reads what `REGIONS` says; which projects run there is told by media_servers, whether it works is checked by status.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit

from pulse_dash.core.secret import Secret

DEFAULT = ("us-east", "eu-west", "asia-south")
_NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?")
_SCHEMES = frozenset({"ws", "wss", "http", "https"})
_FIELDS = frozenset({"name", "url", "key", "secret"})


@dataclass(frozen=True, slots=True)
class Region:
    """One region; without a `url` it is served by the installation's LiveKit."""

    name: str
    url: str = ""
    api_key: str = ""
    api_secret: Secret = field(default_factory=lambda: Secret(""))


def component_of(name: str) -> str:
    """What a region's own LiveKit is called among the components."""
    return f"livekit-{name}"


def read(text: str) -> tuple[Region, ...]:
    """What `REGIONS` says: a JSON list, or the file that holds one. Raises ValueError with words and no secret."""
    if not text.strip():
        return tuple(map(Region, DEFAULT))
    if not text.lstrip().startswith("["):
        try:
            text = Path(text.strip()).read_text("utf-8")
        except (OSError, UnicodeError):
            raise ValueError("it is a JSON list, or the path of a file that holds one") from None
    try:
        listed: object = json.loads(text)
    except ValueError:
        raise ValueError("it is no JSON") from None
    if not isinstance(listed, list) or not listed:
        raise ValueError("it is a JSON list with at least one region")
    found = tuple(_region(each) for each in cast("list[Any]", listed))
    if len({each.name for each in found}) < len(found):
        raise ValueError("each region has a name of its own")
    keys = [each.api_key for each in found if each.url]
    if len(set(keys)) < len(keys):
        raise ValueError("each LiveKit has a key of its own, because its key tells which one speaks")
    return found


def _region(given: Any) -> Region:
    if not isinstance(given, dict) or not all(isinstance(each, str) for each in cast("dict[Any, Any]", given).values()):
        raise ValueError("each region is an object of texts: name, and url, key and secret of its own LiveKit")
    fields = cast("dict[str, str]", given)
    if set(fields) - _FIELDS or not _NAME.fullmatch(fields.get("name", "")):
        raise ValueError("each region has a name of small letters, digits and hyphens, and url, key and secret")
    if len({"url", "key", "secret"} & set(fields)) not in (0, 3):
        raise ValueError(f"the region {fields['name']} names all of url, key and secret, or none")
    url = fields.get("url", "")
    if url and (urlsplit(url).scheme not in _SCHEMES or not urlsplit(url).netloc):
        raise ValueError(f"the url of the region {fields['name']} begins with ws:// or wss://")
    return Region(fields["name"], url, fields.get("key", ""), Secret(fields.get("secret", "")))
