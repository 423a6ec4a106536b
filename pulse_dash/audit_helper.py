"""The process that reads long stretches of the audit log, so that the node itself goes on with what is short.

First of all it goes behind everything else on the machine, so that its start is in nobody's way either. What it does
then is told by pulse_dash/audit_job.py.
"""

from __future__ import annotations

import os
from typing import Final

# With 10 a core that it works on is not given back before its slice is over: p99 of another's waking was 4.9 ms on two
# busy cores, and 1.0 ms with 19 (0.6 ms where nothing ran). It still gets a sixtieth of a core that others want whole.
NICE: Final = 19


def main() -> None:
    """Do one job."""
    os.nice(NICE)
    from pulse_dash import audit_job  # noqa: PLC0415 - half a second of the processor's

    audit_job.do()


if __name__ == "__main__":
    main()
