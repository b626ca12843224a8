"""Processes that end with the one that started them, however that one ends: ``kill -9`` gives it no time to say so."""

from __future__ import annotations

import os
import signal
import threading
import time

from unmask.host.place import PARENT

#: Seconds between two looks.
_LOOK = 1.0


def parent_is_gone() -> bool:
    """Whether the process that the environment names as parent is neither this one nor its parent any more."""
    parent = os.environ.get(PARENT)
    return parent is not None and int(parent) not in (os.getpid(), os.getppid())


def end_with_parent() -> None:
    """Have this process ended when its parent is gone."""

    def watch() -> None:
        while not parent_is_gone():
            time.sleep(_LOOK)
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, daemon=True).start()
