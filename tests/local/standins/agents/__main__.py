"""Says that it has its doctors, then waits to be ended."""

import signal
import sys

sys.stdout.write('{"event":"doctors_taken_over"}\n')
signal.pause()
