"""`python -m pulse_dash …` over a store that is gone for as long as the file DATABASE_IS_GONE names is there."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

from pulse_dash import cli, services
from tests.doubles import BreakableEngine

SIGN = "DATABASE_IS_GONE"


class GoneByFile(BreakableEngine):
    """The test holds the file; each operation looks for it."""

    def fail_if_gone(self) -> None:
        self.gone = Path(os.environ[SIGN]).exists()
        super().fail_if_gone()


def main() -> int:
    """Run it as the real command runs, with the one difference."""
    connect = services.connect

    async def breakable(**where: Any) -> GoneByFile:
        return GoneByFile(await connect(**where))

    services.connect = breakable
    return cli.main(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
