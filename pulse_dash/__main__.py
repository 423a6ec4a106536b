"""`python -m pulse_dash …`"""

import sys

from pulse_dash.interrupts import ending_at_once

with ending_at_once():
    from pulse_dash.cli import main

sys.exit(main(sys.argv[1:]))
