"""What an organizer installs. Slow, because it makes a venv; CI runs the script itself, once."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[1] / "scripts" / "light-install"


@pytest.mark.slow
def test_the_light_install_works():
    done = subprocess.run([SCRIPT], capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.endswith("light install: fine\n")
