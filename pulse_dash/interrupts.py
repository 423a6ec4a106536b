"""What Ctrl-C does while modules are imported: it ends the process at once and without a traceback.

Python raises KeyboardInterrupt wherever it is, and where an import calls back into C it is thrown away: the process
goes on. Nothing is open yet that would have to be closed.
"""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def ending_at_once() -> Iterator[None]:
    """Let Ctrl-C end the process in this block, unless it was told to be ignored."""
    before = signal.getsignal(signal.SIGINT)
    if before is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
