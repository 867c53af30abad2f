"""Runs a command that is killed when its parent process ends: `python parent_death_signal.py PARENT_PID COMMAND…`.

A parent that gets kill -9 cannot stop its children, so the kernel has to do it: PR_SET_PDEATHSIG survives the exec, and
the command gets SIGKILL as soon as its parent has ended. This is a program of its own and not a `preexec_fn`: a
`preexec_fn` runs Python between fork and exec, where a lock that another thread held stays locked for ever.

Only Linux has PR_SET_PDEATHSIG. On other systems Ctrl-C and SIGTERM still end the command, but kill -9 of the parent
leaves it running, and `data_dir_lock` refuses the next run on the same DATA_DIR as long as it lives.
"""

import ctypes
import os
import signal
import sys
from collections.abc import Sequence

_PR_SET_PDEATHSIG = 1


def with_parent_death_signal(command: Sequence[str]) -> list[str]:
    """Return a command line that runs `command` and gets SIGKILL when this process ends.

    Start it from the main thread: to the kernel, the parent is the thread that started the child.
    """
    return [sys.executable, "-IS", __file__, str(os.getpid()), *command]


def set_parent_death_signal(parent: int, number: signal.Signals) -> None:
    """Ask the kernel to send this process the signal `number` when its parent, with the pid `parent`, ends."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, int(number), 0, 0, 0)
    if os.getppid() != parent:  # the parent ended before the prctl call
        os.kill(os.getpid(), number)


def main() -> None:
    """Set the parent death signal, then replace this process with the command."""
    set_parent_death_signal(int(sys.argv[1]), signal.SIGKILL)
    os.execvp(sys.argv[2], sys.argv[2:])  # noqa: S606  # no shell is the point; the command is our own


if __name__ == "__main__":
    main()
