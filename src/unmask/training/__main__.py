"""What Lightning runs to start each further process of a run with ``trainer=ddp``; arguments are Hydra overrides."""

import sys

from unmask.training.compose import run_with_overrides
from unmask.training.run import train

if __name__ == "__main__":
    # Lightning gives it Hydra's folder of a single run; the configuration knows the job's own.
    run_with_overrides(sys.argv[1:], lambda config, _: train(config, config.out))
