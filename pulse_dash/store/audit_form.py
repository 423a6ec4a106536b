"""What an entry of the audit log is once it is chained: its canonical form, its hash, and the marks it is found by.

Form 1: a JSON object with sorted names and no blanks, in UTF-8, of `version`, `sequence`, `previous`, `id` and the
entry's own fields, its times in UTC with the milliseconds that the store keeps. The hash is the SHA-256 of that.
docs/examples/verify_audit_export.py computes the same with the standard library alone.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Final, cast

import orjson

from pulse_dash.core.clock import milliseconds
from pulse_dash.store.engine import Document

VERSION: Final = 1
GENESIS: Final = "0" * 64
"""What the first entry of a chain has as the hash before it."""
INSTALLATION: Final = "installation"
"""The chain of what belongs to no organization: accounts, sign-ins, operators, incidents."""

_FIELDS: Final = (
    "org_id",
    "at",
    "actor",
    "action",
    "resource",
    "status",
    "ip",
    "user_agent",
    "request_id",
    "changes",
)
_MOST_WORDS: Final = 12
_WORD: Final = re.compile(r"\w+")
_OPTIONS: Final = orjson.OPT_SORT_KEYS | orjson.OPT_PASSTHROUGH_DATETIME


def chain_of(entry: Mapping[str, Any]) -> str:
    """The chain that an entry belongs to."""
    return entry.get("org_id") or INSTALLATION


def shown(entry: Document) -> dict[str, Any]:
    """What is hashed of a chained entry, and what an export carries beside the hash."""
    form = {name: entry.get(name) for name in _FIELDS}
    form["version"], form["id"] = VERSION, entry["_id"]
    # What is older than the chains has no place in one.
    form["sequence"], form["previous"] = entry.get("sequence"), entry.get("previous")
    return form


def canonical(form: Mapping[str, Any]) -> bytes:
    """The one way to write it. Raises TypeError for what no entry of ours holds."""
    return orjson.dumps(form, default=_text, option=_OPTIONS)


def hash_of(entry: Document) -> str:
    """What follows from everything that the entry says, its place in the chain included."""
    return hashlib.sha256(canonical(shown(entry))).hexdigest()


def linked(entries: Sequence[Mapping[str, Any]], sequence: int, previous: str) -> list[Document]:
    """The entries as they follow on the one with this sequence and hash."""
    links: list[Document] = []
    for entry in entries:
        sequence += 1
        link: Document = {**_plain(entry), "sequence": sequence, "previous": previous, "marks": marks_of(entry)}
        link["hash"] = previous = hash_of(link)
        links.append(link)
    return links


def marks_of(entry: Mapping[str, Any]) -> list[str]:
    """What the log is filtered by, as one list that one index holds. It follows from the entry, so verify compares."""
    action = str(entry.get("action") or "")
    resource: Mapping[str, Any] = entry.get("resource") or {}
    actor: Mapping[str, Any] = entry.get("actor") or {}
    marks = {
        "action:" + action,
        "noun:" + action.partition(".")[0],
        f"actor:{actor.get('id') or actor.get('type') or ''}",
        f"status:{entry.get('status')}",
        f"resource:{resource.get('id') or ''}",
        f"type:{resource.get('type') or ''}",
        *_marks_of_words(str(resource.get("name") or "")),
        *_marks_of_words(str(entry.get("request_id") or "")),
    }
    return sorted(marks)


def words_of(text: str) -> list[str]:
    """The words of a text as they are looked for, whatever their case."""
    return _WORD.findall(text.casefold()[:1024])


# Things keep their names, and are spoken of many times.
@lru_cache(maxsize=4_096)
def _marks_of_words(text: str) -> tuple[str, ...]:
    return tuple(["word:" + word for word in words_of(text)[:_MOST_WORDS]])


def _text(value: Any) -> str:
    if isinstance(value, datetime):
        return f"{value.astimezone(UTC).replace(tzinfo=None).isoformat(timespec='milliseconds')}Z"
    raise TypeError(f"An entry holds no {type(value).__name__}.")


def _plain(value: Any) -> Any:
    """As the store gives it back, and with nothing that JSON would write in two ways."""
    match value:
        case str():
            return str.__str__(value)
        case bool() | int() | None:
            return value
        case float():
            return repr(value)
        case bytes():
            return value.hex()
        case datetime():
            return milliseconds(value.astimezone(UTC))
        case Mapping():
            mapping = cast("Mapping[str, Any]", value)
            return {str.__str__(name): _plain(each) for name, each in mapping.items()}
        case _:
            return [_plain(each) for each in value]
