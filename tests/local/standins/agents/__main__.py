"""Writes the log line of a ready agents process, then waits for a signal."""

import signal
import sys

sys.stdout.write('{"event":"doctors_taken_over"}\n')
signal.pause()
