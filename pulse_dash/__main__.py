"""`python -m pulse_dash …`"""

import signal
import sys

# Ctrl-C while everything is still being imported ends at once and without a traceback; main() catches it from then on.
at_first = signal.getsignal(signal.SIGINT)
if at_first is signal.default_int_handler:
    signal.signal(signal.SIGINT, signal.SIG_DFL)

from pulse_dash.cli import main  # noqa: E402

signal.signal(signal.SIGINT, at_first)
sys.exit(main(sys.argv[1:]))
