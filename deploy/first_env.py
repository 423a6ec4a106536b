"""Writes the `.env` that compose.yaml asks for, with fresh secrets; never touches one that is there.

python3 deploy/first_env.py pulse.example.com livekit.example.com
"""

from __future__ import annotations

import os
import re
import secrets
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SECRETS = ("JWT_SECRET", "API_KEY_PEPPER", "ENCRYPTION_KEYS", "LIVEKIT_API_SECRET", "MINIO_ROOT_PASSWORD")
NAME = re.compile(r"(?=.{1,253}$)[a-z0-9-]{1,63}(\.[a-z0-9-]{1,63})*")


def main(arguments: list[str], folder: Path = ROOT) -> int:
    """Two names in, one file out, readable by its owner alone."""
    if len(arguments) != 2 or not all(NAME.fullmatch(name) for name in arguments):
        print("Usage: python3 deploy/first_env.py pulse.example.com livekit.example.com", file=sys.stderr)
        return 2
    pulse, livekit = arguments
    lines = [f"PULSE_DOMAIN={pulse}", f"LIVEKIT_DOMAIN={livekit}"]
    lines += [f"{name}={secrets.token_urlsafe(36)}" for name in SECRETS]
    try:
        descriptor = os.open(folder / ".env", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        print("There is a .env already; it was left as it is.", file=sys.stderr)
        return 1
    with os.fdopen(descriptor, "w") as file:
        file.write("\n".join(lines) + "\n")
    print("Wrote .env. Next: docker compose up -d")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
