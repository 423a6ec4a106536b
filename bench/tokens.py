"""`python -m bench.tokens`: complete token minting beside what a team would write instead, and beside an empty answer.

Prints ratios of the same round, because these machines differ by two between rounds; the processor time of a request
differs less, so it stands beside. Pulse runs as in production, log line and all. All contenders have one core, the
same, and whoever asks them has another: left to itself the kernel moves them about, and where it puts a caller onto the
core of a contender decides more than the contender does. It does not show a network, TLS, a cold start, or more than
one worker.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import httpx

from bench import raw
from bench.processes import Contender, account, express, go, nodes, on_uvicorn, pulse

PATH = "/v1/tokens/create"
BODY = {"room": "lobby", "identity": "ada"}
MANY_PROJECTS = 100
CORES = os.sched_getaffinity(0)
REQUESTS = r"Requests/sec:\s+([\d.]+)"
# Refused requests come from so many connections, each of which waits so long between two.
REFUSED_CONNECTIONS, REFUSED_EVERY_MS = 40, 17


@dataclass(frozen=True)
class Load:
    """What a contender answered: requests a second, the slowest of a hundred, processor time of one."""

    rate: float
    p99_ms: float
    cpu_us: float


def main() -> int:
    """Run the rounds and print what came out; a wrong answer ends it."""
    asked = argparse.ArgumentParser(prog="python -m bench.tokens")
    asked.add_argument("--rounds", type=int, default=5)
    asked.add_argument("--seconds", type=int, default=4)
    asked.add_argument("--connections", type=int, default=32)
    options = asked.parse_args()
    for program in ("wrk", "taskset", "node", "npm", "go"):
        if shutil.which(program) is None:
            print(f"{program} is missing: apt-get install wrk util-linux nodejs npm golang", file=sys.stderr)
            return 1
    # What is started from here on stays there, but for the callers.
    os.sched_setaffinity(0, {min(CORES)})
    with ExitStack() as stack, tempfile.TemporaryDirectory() as folder:
        served = stack.enter_context(pulse(Path(folder), more={"REAL_JOIN": "false"}))
        ada = account(served)
        pairs = [ada.project(f"Bench {number}")[1] for number in range(MANY_PROJECTS)]
        neighbours = [
            stack.enter_context(on_uvicorn("empty answer", "bench.neighbours.empty:application")),
            stack.enter_context(on_uvicorn("FastAPI that only mints", "bench.neighbours.minting:application")),
            *(stack.enter_context(express(*node)) for node in nodes().items()),
            stack.enter_context(go()),
        ]
        for contender in neighbours[1:]:
            check(contender, {})
        for pair in pairs:
            check(served, pair)
        small, rounds = served.memory(), []
        for number in range(options.rounds):
            one = {each.name: load(each, [{}], options.seconds, options.connections) for each in neighbours}
            one["Pulse"] = load(served, pairs[:1], options.seconds, options.connections)
            one["100 projects in turn"] = load(served, pairs, options.seconds, options.connections)
            wrong = [{**pair, "X-Pulse-Secret": other["X-Pulse-Secret"]} for pair, other in pairwise(pairs)]
            for name, door, sent in ((REFUSED, served, wrong), (ELSEWHERE, neighbours[-1], [{}])):
                one[name] = beside(door, sent, served, pairs[:1], options.seconds, options.connections)
            rounds.append(one)
            print(f"round {number + 1} of {options.rounds}", file=sys.stderr)
        grown = served.memory() - small
    show(rounds)
    minted = sum(one[name].rate * options.seconds for one in rounds for name in one if name in MINTED_BY_PULSE)
    print(f"\nmemory grew by {grown:.1f} MB over {minted:,.0f} tokens, from {small:.0f} MB")
    raw.keep("tokens", {"rounds": rounds, "memory_before_mb": small, "memory_grown_mb": grown, "tokens": minted})
    return 0


REFUSED = "while 2,000 a second are refused"
# What asking costs by itself, on a machine that the one who asks shares with the one who answers.
ELSEWHERE = "while Go is asked 2,000 a second"
MINTED_BY_PULSE = ("Pulse", "100 projects in turn", REFUSED, ELSEWHERE)


def check(contender: Contender, pair: dict[str, str]) -> None:
    """A wrong answer is never timed."""
    answer = httpx.post(f"{contender.url}{PATH}", json=BODY, headers=pair, timeout=60)
    if answer.status_code != 200 or answer.json()["token"].count(".") != 2:
        raise SystemExit(f"{contender.name} answers {answer.status_code}: {answer.text}")


def load(contender: Contender, pairs: list[dict[str, str]], seconds: float, connections: int) -> Load:
    """All connections at once, each asking again as soon as it was answered, with one pair after another."""
    before = contender.cpu_seconds()
    said = _wrk(contender, _script(pairs), seconds, connections)
    if "Non-2xx" in said:
        raise SystemExit(f"{contender.name} refused requests:\n{said}")
    spent, rate = contender.cpu_seconds() - before, _found(REQUESTS, said)
    return Load(rate, _p99(said), spent / _found(r"(\d+) requests in", said) * 1e6)


def beside(
    door: Contender,
    sent: list[dict[str, str]],
    contender: Contender,
    pairs: list[dict[str, str]],
    seconds: float,
    connections: int,
) -> Load:
    """The same while others send requests with these headers to a door: Pulse's own, or another's."""
    delay = f"function delay() return {REFUSED_EVERY_MS} end"
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        script.write(_script(sent) + delay)
        script.flush()
        storm = subprocess.Popen(
            _command(door, script.name, seconds + 2, REFUSED_CONNECTIONS), text=True, stdout=subprocess.PIPE
        )
        try:
            found = load(contender, pairs, seconds, connections)
        finally:
            said = storm.communicate()[0]
    print(f"  beside {_found(REQUESTS, said):,.0f} a second at {door.name}", file=sys.stderr)
    return found


def _script(pairs: list[dict[str, str]]) -> str:
    """What wrk sends: the same body, each time with the next pair."""
    requests = ",\n".join(
        "wrk.format('POST', nil, {['Content-Type'] = 'application/json'"
        + "".join(f", ['{name}'] = '{value}'" for name, value in pair.items())
        + f"}}, '{json.dumps(BODY)}')"
        for pair in pairs
    )
    return f"""
local requests, turn = nil, 0
function init(args) requests = {{{requests}}} end
function request()
  turn = turn % #requests + 1
  return requests[turn]
end
"""


def _wrk(contender: Contender, script_text: str, seconds: float, connections: int) -> str:
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        script.write(script_text)
        script.flush()
        command = _command(contender, script.name, seconds, connections)
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def _command(contender: Contender, script: str, seconds: float, connections: int) -> list[str]:
    shape = ["-t1", f"-c{connections}", f"-d{seconds:.0f}s", "--latency"]
    return ["taskset", "-c", str(max(CORES)), "wrk", *shape, "-s", script, f"{contender.url}{PATH}"]


def _found(pattern: str, said: str) -> float:
    found = re.search(pattern, said)
    if found is None:
        raise SystemExit(said)
    return float(found[1])


def _p99(said: str) -> float:
    found = re.search(r"99%\s+([\d.]+)(us|ms|s)", said)
    if found is None:
        raise SystemExit(said)
    return float(found[1]) * {"us": 0.001, "ms": 1, "s": 1000}[found[2]]


def show(rounds: list[dict[str, Load]]) -> None:
    """A line each, with the ratio of Pulse to it in the same round, in requests and in processor time."""
    print(f"{'':34}{'a second':>10}{'p99 ms':>9}{'CPU µs':>9}{'Pulse is':>11}{'by CPU':>9}")
    for name in rounds[0]:
        rate, slow, cpu = (
            statistics.median(getattr(one[name], what) for one in rounds) for what in ("rate", "p99_ms", "cpu_us")
        )
        ratio = statistics.median(one["Pulse"].rate / one[name].rate for one in rounds)
        by_cpu = statistics.median(one[name].cpu_us / one["Pulse"].cpu_us for one in rounds)
        print(f"{name:34}{rate:>10,.0f}{slow:>9.1f}{cpu:>9.0f}{ratio:>10.2f}×{by_cpu:>8.2f}×")


if __name__ == "__main__":
    sys.exit(main())
