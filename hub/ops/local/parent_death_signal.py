"""Runs a command that dies with the process that started it: `python leash.py PARENT_PID COMMAND…`.

A parent that gets kill -9 can tidy nothing up, so the kernel has to do it: PR_SET_PDEATHSIG survives the exec, and the
command gets SIGKILL the moment its parent is gone. It is a program of its own, and not a `preexec_fn`, because that
would run Python between fork and exec, where a lock that another thread held stays locked for ever.

Only Linux has this. On other systems the command runs without a leash: Ctrl-C and SIGTERM still end it, kill -9 of
the parent leaves it behind, and the next run on the same DATA_DIR is refused as long as it lives (see `claim`).
"""

import ctypes
import os
import signal
import sys
from collections.abc import Sequence

_PR_SET_PDEATHSIG = 1


def leashed(command: Sequence[str]) -> list[str]:
    """Return the command that runs `command` until this process ends.

    Start it from the main thread: for the kernel, the parent is the thread that started the child.
    """
    return [sys.executable, "-IS", __file__, str(os.getpid()), *command]


def die_with(parent: int, how: signal.Signals) -> None:
    """Have the kernel send this process `how` when its parent, whose pid is `parent`, ends."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, int(how), 0, 0, 0)
    if os.getppid() != parent:  # it ended before the kernel knew whom to watch
        os.kill(os.getpid(), how)


def main() -> None:
    """Put on the leash, then become the command."""
    die_with(int(sys.argv[1]), signal.SIGKILL)
    os.execvp(sys.argv[2], sys.argv[2:])  # noqa: S606  # no shell is the point; the command is our own


if __name__ == "__main__":
    main()
