"""What Lightning runs to start each further process of a run with ``trainer=ddp``; arguments are Hydra overrides."""

import sys

from unmask.training.compose import run_with_overrides
from unmask.training.run import train

if __name__ == "__main__":
    run_with_overrides(sys.argv[1:], train)
