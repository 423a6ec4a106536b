"""One job of the process that reads long stretches of the audit log: an export, or an organization's chain.

It is told through standard input where the store is, and then what to read. What comes of it goes back through standard
output in frames (adapters/audit_process.py). It only reads. It ends with its job, and with its parent: when standard
input ends.
"""

from __future__ import annotations

import asyncio
import gc
import os
import pickle
import sys
import threading
import traceback
from contextlib import aclosing
from typing import Any, BinaryIO, Final

import orjson

from pulse_dash.adapters.audit_process import DATA, END, FAILED, FRAME, READY, Place, framed
from pulse_dash.core.audit_readers import Here
from pulse_dash.core.clock import SystemClock
from pulse_dash.core.errors import PulseError, Unavailable
from pulse_dash.core.person_ciphers import PersonCiphers
from pulse_dash.core.secret import Secret
from pulse_dash.core.vault import Sealing
from pulse_dash.store import connect
from pulse_dash.store.audit_people import People

# Entries hold no rings, and a slice of them is thousands of objects: at Python's own pace looking for rings takes a
# third of an export's time.
_SEARCHED_AFTER: Final = 200_000


def _asked() -> Any:
    """What the parent says next. It is our own, and nobody else writes into this pipe."""
    head = sys.stdin.buffer.read(FRAME.size)
    if len(head) < FRAME.size:
        raise SystemExit
    return pickle.loads(sys.stdin.buffer.read(FRAME.unpack(head)[1]))  # noqa: S301


def _end_with_parent() -> None:
    sys.stdin.buffer.read(1)
    os._exit(1)


async def _work(place: Place, frames: BinaryIO) -> None:
    def say(kind: bytes, body: bytes = b"") -> None:
        frames.write(framed(kind, body))
        frames.flush()

    try:
        engine = await connect.look(
            mongo_uri=place.mongo_uri,
            database=place.database,
            data_dir=place.data_dir,
            timeout_seconds=place.timeout_seconds,
        )
        try:
            ciphers = PersonCiphers(Sealing([Secret(key) for key in place.encryption_keys]))
            here = Here(engine, People(engine, SystemClock(), ciphers))
            say(READY)
            job = _asked()
            threading.Thread(target=_end_with_parent, daemon=True).start()
            async with aclosing(here.chunks(job)) as chunks:
                async for chunk in chunks:
                    say(DATA, chunk)
            say(END)
        finally:
            await engine.close()
    except PulseError as error:
        traceback.print_exc()
        part = error.part if isinstance(error, Unavailable) else "audit"
        say(FAILED, orjson.dumps({"part": part, "detail": error.detail}))


def do() -> None:
    """What is asked for."""
    gc.freeze()
    gc.set_threshold(_SEARCHED_AFTER)
    # Whatever else is printed or logged goes to the node's log and not between the frames.
    frames = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    try:
        asyncio.run(_work(_asked(), frames))
    except BrokenPipeError:
        # The parent is gone.
        os._exit(1)
