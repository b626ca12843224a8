"""The same rush as hosting.py's, on PostgreSQL and Redis with two web processes and two workers.

    PYTHONPATH=. python benchmarks/hosting_postgres.py

Both are started for it as the tests start them, on loopback. Prints Markdown.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from tests.host.services import Postgres, Redis

if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="unmask-") as one, tempfile.TemporaryDirectory(prefix="unmask-") as other:
        postgres, redis = Postgres(Path(one)), Redis(Path(other))
        try:
            words = ["--web", "2", "--workers", "2", "--database", postgres.database("unmask"), "--queue", redis.url]
            subprocess.run([sys.executable, str(Path(__file__).parent / "hosting.py"), *words], check=True)
        finally:
            redis.stop()
            postgres.stop()
