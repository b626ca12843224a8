"""The filled example challenge, as ``unmask serve --demo`` brings it up."""

import sys

import httpx
import pytest

from unmask.host.demo import make_demo
from unmask.tables.errors import ChallengeError

from .server import serving

#: ``unmask`` that is not told the folder, which stands behind "serve".
_WITHOUT_FOLDER = (
    sys.executable, "-c", "import sys; from unmask.cli.main import main; del sys.argv[2]; sys.exit(main(sys.argv[1:]))",
)  # fmt: skip


def test_it_comes_up_filled(tmp_path):
    with serving(tmp_path / "example", "--demo", workers=0) as server:
        rows = server.client.get("/api/board").json()["entries"]
        assert len(rows) == 5
        assert [row["rank"] for row in rows] == [1, 2, 3, 4, 5]
        assert rows[-1]["team"] == "Random guess"
        assert rows[-1]["held_back"]
        assert sum(row["entries"] for row in rows) == 18
        assert "Golden retrievers" in httpx.get(server.url, headers={"Accept": "text/html"}).text
        log = server.log.read_text()
        assert "a team's token: um_" in log
        assert "organizer's token" in log
        member = log.split("a team's token: ")[1].split()[0]
        mine = server.submissions(member)
        assert [each["state"] for each in mine] == ["scored"] * 5
        assert server.client.get("/api/audit/check", headers=server.as_(server.organizer)).json() == {"broken_at": None}


def test_it_needs_no_folder_and_is_served_again(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with serving(tmp_path / "nothing", "--demo", workers=0, program=_WITHOUT_FOLDER) as server:
        first = server.organizer
        assert first in server.log.read_text()
        assert server.log.read_text().count(first) == 1
        assert "/sign-in" in server.log.read_text()
        assert "Write here" not in server.log.read_text()
    with serving(tmp_path / "nothing", "--demo", workers=0, program=_WITHOUT_FOLDER) as server:
        assert server.organizer is None
        assert len(server.client.get("/api/board").json()["entries"]) == 5
        assert "--new-token" in server.log.read_text()
    with serving(tmp_path / "nothing", "--demo", "--new-token", workers=0, program=_WITHOUT_FOLDER) as server:
        assert server.organizer not in (None, first)
        for token in (first, server.organizer):
            assert server.client.get("/api/teams", headers=server.as_(token)).status_code == 200
    assert [path.name for path in tmp_path.iterdir() if path.is_dir()] == ["unmask-demo"]


def test_it_overwrites_no_challenge(folder):
    with pytest.raises(ChallengeError, match="a challenge already") as refused:
        make_demo(folder)
    assert "without --demo" in str(refused.value)
    assert not (folder / "manifest.csv").exists()
