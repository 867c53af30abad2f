"""The agents process under another name, as tests of faults start it."""

import sys

from agents.__main__ import main

sys.stdout.write("standing in\n")
sys.stdout.flush()
main()
