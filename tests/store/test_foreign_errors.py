"""No exception of a library leaves the store: every class of theirs has its row in the translator."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from typing import Any

import bson.errors
import pymongo.asynchronous.mongo_client
import pymongo.encryption_options
import pymongo.errors
import pytest

from pulse_dash.core.errors import Invalid, Unavailable
from pulse_dash.store.engine import TRANSLATIONS, DuplicateKey, duplicate_error, translated
from pulse_dash.store.subset import OutsideSubset


def _walk(root: type[Exception]) -> Iterator[type[Exception]]:
    yield root
    for child in root.__subclasses__():
        # gridfs hangs its errors there too when another test imports it; the store never does.
        if not child.__module__.startswith("gridfs"):
            yield from _walk(child)


FOREIGN = sorted(
    {each for root in (pymongo.errors.PyMongoError, bson.errors.BSONError, sqlite3.Error) for each in _walk(root)},
    key=lambda each: f"{each.__module__}.{each.__name__}",
)


@pytest.mark.parametrize("foreign", FOREIGN, ids=lambda each: f"{each.__module__}.{each.__name__}")
def test_every_class_of_the_libraries_has_its_row(foreign: type[Exception]) -> None:
    assert foreign in TRANSLATIONS


@pytest.mark.parametrize("foreign", FOREIGN, ids=lambda each: f"{each.__module__}.{each.__name__}")
def test_every_class_of_the_libraries_becomes_one_of_ours(foreign: type[Exception]) -> None:
    error = foreign.__new__(foreign)
    if isinstance(error, pymongo.errors.PyMongoError | bson.errors.BSONError):
        Exception.__init__(error, "words of the library with mongodb://user:password@host")
        error.__dict__.update(_OperationFailure__code=1, _OperationFailure__details={})

    with pytest.raises((Unavailable, Invalid, DuplicateKey)) as ours, translated("testing"):
        raise error

    assert ours.value.__cause__ is error
    assert "password" not in ours.value.detail


def _bulk(code: int) -> Exception:
    failed = {"code": code, "errmsg": "E11000 duplicate key error collection: a.b index: label dup key: {}"}
    return pymongo.errors.BulkWriteError({"writeErrors": [failed]})


@pytest.mark.parametrize(
    ("error", "ours"),
    [
        (duplicate_error("label"), DuplicateKey),
        (_bulk(11000), DuplicateKey),
        (_bulk(121), Invalid),
        (_bulk(91), Unavailable),
        (pymongo.errors.WriteError("Document failed validation", 121), Invalid),
        (pymongo.errors.OperationFailure("not authorized", 13), Unavailable),
        (bson.errors.InvalidDocument("key"), Invalid),
        (sqlite3.OperationalError("database or disk is full"), Unavailable),
        (sqlite3.DatabaseError("database disk image is malformed"), Unavailable),
        (OSError(28, "No space left on device"), Unavailable),
        (OverflowError("MongoDB can only handle up to 8-byte ints"), Invalid),
    ],
    ids=str,
)
def test_an_error_says_what_the_caller_can_do(error: Exception, ours: type[Exception]) -> None:
    with pytest.raises(ours) as raised, translated("testing"):
        raise error

    assert not isinstance(raised.value, DuplicateKey) or raised.value.index == "label"


@pytest.mark.parametrize("error", [KeyError("ours"), OutsideSubset("ours"), Unavailable("store"), KeyboardInterrupt()])
def test_what_is_not_the_librarys_passes_untouched(error: Any) -> None:
    with pytest.raises(type(error)) as raised, translated("testing"):
        raise error

    assert raised.value is error
