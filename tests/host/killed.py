"""Runs ``unmask`` as a process that is killed at one step: python -m tests.host.killed STEP WHEN WORDS...

STEP names a function, as ``module:name`` or ``module:Class.name``, or is "nowhere"; WHEN is before or after. Nothing in
the product knows of this: the function is wrapped from outside. Leases are short, so that what was lost is soon found.
"""

import functools
import importlib
import os
import signal
import sys
from datetime import timedelta


def kill_at(step, when):
    module, _, name = step.partition(":")
    owner = importlib.import_module(module)
    *path, name = name.split(".")
    for part in path:
        owner = getattr(owner, part)
    original = getattr(owner, name)

    @functools.wraps(original)
    def killing(*given, **named):
        if when == "after":
            original(*given, **named)
        os.kill(os.getpid(), signal.SIGKILL)

    setattr(owner, name, killing)


if __name__ == "__main__":
    step, when, *words = sys.argv[1:]
    for module in ("unmask.host.scoring", "unmask.host.worker"):
        importlib.import_module(module).LEASE = timedelta(seconds=3)
    if step != "nowhere":
        kill_at(step, when)
    from unmask.cli.main import main

    sys.exit(main(words))
