"""The API as its OpenAPI schema tells it, fuzzed against the running server: nothing makes it fail."""

import shutil
import subprocess
import sys

import pytest

from .server import serving

#: What a fuzzed call would end for all that follow.
LEFT_OUT = ("/api/close", "/api/tokens/{number}")


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def server(made, tmp_path_factory, request):
    words = []
    if request.param == "postgresql":  # it refuses text that SQLite takes
        words = ["--database", request.getfixturevalue("postgres").database("schema")]
    with serving(shutil.copytree(made, tmp_path_factory.mktemp("schema") / "toy"), *words) as server:
        server.member = server.team("Fuzz")
        yield server


@pytest.mark.parametrize("role", ["nobody", "member", "organizer"])
def test_no_call_fails(server, role, tmp_path):
    token = {"nobody": None, "member": server.member, "organizer": server.organizer}[role]
    words = ["run", f"{server.url}/api/openapi.json", "--checks", "not_a_server_error", "--max-examples", "25",
             "--seed", "1", "--generation-database", "none"]  # fmt: skip
    words += [word for path in LEFT_OUT for word in ("--exclude-path", path)]
    words += ["-H", f"Authorization: Bearer {token}"] if token else []
    told = subprocess.run(
        [sys.executable, "-m", "schemathesis.cli", *words], capture_output=True, text=True, cwd=tmp_path, timeout=500
    )
    assert told.returncode == 0, told.stdout[-4000:] + told.stderr[-2000:]
    assert server.client.get("/api/challenge").status_code == 200
