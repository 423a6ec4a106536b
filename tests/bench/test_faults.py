"""One of the eight faults in a running node: the right part is named, and no other."""

from __future__ import annotations

import sys
from pathlib import Path

from bench import faults
from bench.processes import free_port, pulse


def test_a_mail_server_that_hangs_is_named_and_nothing_else(tmp_path: Path) -> None:
    port = free_port()
    mail = faults.Program([sys.executable, "-c", faults.MAIL, str(port)], port, tmp_path / "mail.log")
    mail.start()
    settings = {"SMTP_URL": f"smtp://127.0.0.1:{port}", "REAL_JOIN": "false", "RATE_LIMIT_IP_PER_MINUTE": "1000000"}
    try:
        with pulse(tmp_path / "node", more=settings) as node:
            faults.until(lambda: faults.states(node)["mail"] == "operational", "mail is well")
            mail.halt()
            faults.until(lambda: faults.states(node)["mail"] == "down", "mail is named")
            states = faults.states(node)
    finally:
        mail.go_on()
        mail.kill()

    # No LiveKit runs here.
    assert {name for name, state in states.items() if state == "down"} == {"mail", "livekit"}
