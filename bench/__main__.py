"""`make bench`: every figure that Pulse promises, each beside its neighbour in the same run. Each bench says in its own
module what it does not show.

    python -m bench [NAME …] [-- OPTIONS]    # all of them, or those that are named; options are for one
"""

from __future__ import annotations

import subprocess
import sys

BENCHES = {
    "tokens": "complete tokens/create beside FastAPI, Express and Go that only mint, and beside an empty answer",
    "starting": "a warm start to the first token, a thousand keys after a restart, idle memory",
    "audit": "the audit log: a page by each filter among many entries, export, verify, what an entry costs, 64 writers",
    "audit_beside": "what verify and export take from others: p99 of tokens/create while each of them runs",
    "removed": "from removed, demoted, signed out or revoked until another node refuses",
    "pages": "what each page weighs and shifts in a real Chromium, and a log-in to a usable dashboard",
    "sockets": "memory over ten thousand connects, each with a client token of its own",
    "status": "checks that start on time while a fifth hangs, false incidents, and GET /v1/status while all hang",
    "faults": "eight faults in a running node: until each is named, until its incident stands, until it is closed",
    "store": "the embedded store with a million documents beside raw sqlite3, BSON alone and litemongo",
}


def main(arguments: list[str]) -> int:
    """Run each in a process of its own, so that none leaves memory or threads to the next."""
    names, _, options = " ".join(arguments).partition("--")
    wanted = names.split() or list(BENCHES)
    unknown = [name for name in wanted if name not in BENCHES]
    if unknown:
        print(f"There is no bench {unknown[0]}; there are {', '.join(BENCHES)}.", file=sys.stderr)
        return 2
    worst = 0
    for name in wanted:
        print(f"\n== {name}: {BENCHES[name]}", flush=True)
        worst = max(
            worst, subprocess.run([sys.executable, "-m", f"bench.{name}", *options.split()], check=False).returncode
        )
    return worst


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
