"""The command line of the suite, and what joins its packages."""

import signal
import sys

# As `python -m`, imports take a second, and an interrupt in it is no reason for a traceback; `main`
# takes over then
if sys.argv[:1] == ["-m"] and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
    signal.signal(signal.SIGINT, signal.SIG_DFL)
