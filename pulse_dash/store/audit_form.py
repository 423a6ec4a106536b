"""What an entry of the audit log is once it is chained: its canonical form, its hash, and the marks it is found by.

Form 2 is the entry as the store keeps it, in BSON: `version`, its own fields, `marks`, `sequence` and `previous` in one
order, names further inside sorted. The hash is the SHA-256 of those bytes, so verify compares what is stored and reads
none of it. Form 1 (entries without `version`) is a JSON object of the same fields but the marks, with sorted names and
no blanks. docs/examples/verify_audit_export.py computes both with the standard library alone.
"""

from __future__ import annotations

import hashlib
import re
import struct
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Final, cast

import bson
import bson.errors
import orjson
from bson.codec_options import CodecOptions

from pulse_dash.core.clock import milliseconds
from pulse_dash.store.engine import Document

VERSION: Final = 2
"""The form in which entries are written; 1 is still read."""
GENESIS: Final = "0" * 64
"""What the first entry of a chain has as the hash before it."""
INSTALLATION: Final = "installation"
"""The chain of what belongs to no organization: accounts, sign-ins, operators, incidents."""

_MOMENTS_WITH_ZONE: Final[CodecOptions[Document]] = CodecOptions(tz_aware=True, tzinfo=UTC)
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
# How an entry of form 2 ends in BSON: its place, the hash before it, and its own. 65 is the length of a hash's text.
_PLACE: Final = struct.Struct("<10si")
_LONG_PLACE: Final = struct.Struct("<10sq")
_PREVIOUS: Final = b"\x02previous\0" + struct.pack("<i", 65)
_HASH: Final = b"\x02hash\0" + struct.pack("<i", 65)
_OWN_HASH: Final = len(_HASH) + 65 + 1


def chain_of(entry: Mapping[str, Any]) -> str:
    """The chain that an entry belongs to."""
    return entry.get("org_id") or INSTALLATION


def shown(entry: Document) -> dict[str, Any]:
    """What is hashed of a chained entry, and what an export carries beside the hash."""
    field = entry.get
    form = {name: field(name) for name in _FIELDS}
    form["version"], form["id"] = entry.get("version", 1), entry["_id"]
    if form["version"] == VERSION:
        form["marks"] = entry.get("marks")
    # What is older than the chains has no place in one.
    form["sequence"], form["previous"] = entry.get("sequence"), entry.get("previous")
    return form


def canonical(form: Mapping[str, Any]) -> bytes:
    """The one way to write it as JSON. Raises TypeError for what no entry of ours holds."""
    return orjson.dumps(form, default=_text, option=_OPTIONS)


def hash_of(entry: Document) -> str:
    """What follows from everything that the entry says, its place in the chain included. Raises TypeError for what is
    no entry of ours."""
    match entry.get("version", 1):
        case 1:
            return hashlib.sha256(canonical(shown(entry))).hexdigest()
        case 2:
            try:
                body = bson.encode({name: value for name, value in entry.items() if name != "hash"})
            except bson.errors.InvalidDocument as error:
                raise TypeError(str(error)) from error
            # Without the length at its beginning and the zero at its end.
            return hashlib.sha256(body[4:-1]).hexdigest()
        case other:
            raise TypeError(f"There is no form {other!r}.")


def follows(body: bytes, sequence: int, previous: str) -> str | None:
    """The hash of an entry as it is stored, where it is of form 2, whole, and follows in this place on that hash.

    None says that somebody has to look at it: it does not fit, or is of form 1."""
    digest = hashlib.sha256(memoryview(body)[4:-_OWN_HASH]).hexdigest()
    end = _ending(sequence, previous, digest)
    return digest if body.endswith(end) and int.from_bytes(body[:4], "little") == len(body) else None


def _ending(sequence: int, previous: str, own: str) -> bytes:
    """The last bytes of an entry in this place."""
    long = sequence >= 1 << 31
    place = _LONG_PLACE.pack(b"\x12sequence\0", sequence) if long else _PLACE.pack(b"\x10sequence\0", sequence)
    return b"".join((place, _PREVIOUS, previous.encode(), b"\0", _HASH, own.encode(), b"\0\0"))


def decoded(body: bytes) -> Document:
    """An entry as it is stored, as a document. Raises bson's errors."""
    return bson.decode(body, _MOMENTS_WITH_ZONE)  # pyright: ignore[reportUnknownMemberType]


def entry_in(body: bytes) -> Document | None:
    """The same; None where it can't be read any more."""
    try:
        return decoded(body)
    except (bson.errors.BSONError, UnicodeError, OverflowError, ValueError):
        return None


def linked(entries: Sequence[Mapping[str, Any]], sequence: int, previous: str) -> list[Document]:
    """The entries as they follow on the one with this sequence and hash."""
    links: list[Document] = []
    for entry in entries:
        sequence += 1
        link: Document = {"_id": _plain(entry["_id"]), "version": VERSION}
        link |= {name: _plain(entry.get(name)) for name in _FIELDS}
        link |= {"at": milliseconds(entry["at"].astimezone(UTC)), "marks": marks_of(entry)}
        link |= {"sequence": sequence, "previous": previous}
        link["hash"] = previous = hash_of(link)
        links.append(link)
    return links


def marks_of(entry: Mapping[str, Any]) -> list[str]:
    """What the log is filtered by, as one list that one index holds. It follows from the entry, so verify compares."""
    resource: Mapping[str, Any] = entry.get("resource") or {}
    actor: Mapping[str, Any] = entry.get("actor") or {}
    known = _marks_of_thing(
        str(entry.get("action") or ""),
        str(actor.get("id") or actor.get("type") or ""),
        str(entry.get("status")),
        str(resource.get("id") or ""),
        str(resource.get("type") or ""),
        str(resource.get("name") or ""),
    )
    return sorted({*known, *_marks_of_words(str(entry.get("request_id") or ""))})


def words_of(text: str) -> list[str]:
    """The words of a text as they are looked for, whatever their case."""
    return _WORD.findall(text.casefold()[:1024])


# Things keep their names, and are spoken of many times.
@lru_cache(maxsize=4_096)
def _marks_of_thing(action: str, actor: str, status: str, thing: str, type_: str, name: str) -> tuple[str, ...]:
    noun = action.partition(".")[0]
    marks = {"action:" + action, "noun:" + noun, "actor:" + actor, "status:" + status}
    return tuple(sorted(marks | {"resource:" + thing, "type:" + type_, *_marks_of_words(name)}))


def _marks_of_words(text: str) -> list[str]:
    if text.isascii() and text.isidentifier():
        # One word, as nearly every request's id is.
        return ["word:" + text.casefold()[:1024]]
    return ["word:" + word for word in words_of(text)[:_MOST_WORDS]]


def _text(value: Any) -> str:
    if isinstance(value, datetime):
        return f"{value.astimezone(UTC).isoformat(timespec='milliseconds')[:-6]}Z"
    raise TypeError(f"An entry holds no {type(value).__name__}.")


def _plain(value: Any) -> Any:
    """With nothing that JSON or BSON would write in two ways, so that each can be made of the other."""
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
            return _text(milliseconds(value))
        case Mapping():
            mapping = cast("Mapping[str, Any]", value)
            return {str.__str__(name): _plain(each) for name, each in sorted(mapping.items())}
        case _:
            return [_plain(each) for each in value]
