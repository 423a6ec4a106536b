"""Pages of lists by number, and pages of logs by a cursor that stays right while the log grows.

It knows the arithmetic and the text of a cursor; what is listed is the noun's.
"""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from pulse_dash.core.errors import FieldError, Invalid

LARGEST_LIMIT: Final = 100
_LONGEST_CURSOR: Final = 512
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_LATEST: Final = 253_402_300_799_999  # the last millisecond of the year 9999


def check_limit(limit: int) -> int:
    """The limit as it is. Raises Invalid for one that is out of range."""
    if not 1 <= limit <= LARGEST_LIMIT:
        raise Invalid(FieldError("limit", f"Give a number from 1 to {LARGEST_LIMIT}."))
    return limit


@dataclass(frozen=True)
class Cursor:
    """The last entry a reader has seen, in a log sorted by moment and id, newest first."""

    at: datetime
    id: str

    def encode(self) -> str:
        """Text without meaning for its reader. It holds no right: the query it continues is scoped anew."""
        inside = json.dumps([round((self.at - _EPOCH) / timedelta(milliseconds=1)), self.id], separators=(",", ":"))
        return base64.urlsafe_b64encode(inside.encode()).rstrip(b"=").decode()

    @classmethod
    def decode(cls, text: str) -> Cursor:
        """Raises Invalid for everything that `encode` did not write."""
        try:
            if len(text) > _LONGEST_CURSOR:
                raise ValueError(text)
            padded = text.encode("ascii") + b"=" * (-len(text) % 4)
            inside = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
            moment, id_ = inside
            if type(moment) is not int or not 0 <= moment <= _LATEST or not isinstance(id_, str):
                raise ValueError(text)
            id_.encode()
            cursor = cls(_EPOCH + timedelta(milliseconds=moment), id_)
            if cursor.encode() != text:
                raise ValueError(text)
        except (ValueError, TypeError, RecursionError, binascii.Error) as error:
            raise Invalid(FieldError("cursor", "This cursor is not one of ours. Start without one.")) from error
        return cursor

    def older(self, moment_field: str = "at") -> dict[str, Any]:
        """The filter of what comes after it; sort by `newest_first`."""
        older: list[dict[str, Any]] = [
            {moment_field: {"$lt": self.at}},
            {moment_field: self.at, "_id": {"$lt": self.id}},
        ]
        # What `$or` says already, said so that an index begins where the reader stopped.
        return {moment_field: {"$lte": self.at}, "$or": older}


def newest_first(moment_field: str = "at") -> list[tuple[str, int]]:
    return [(moment_field, -1), ("_id", -1)]
