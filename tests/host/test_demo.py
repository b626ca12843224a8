"""The filled example challenge, as ``unmask serve --demo`` brings it up."""

import httpx
import pytest

from unmask.host.demo import make_demo
from unmask.tables.errors import ChallengeError

from .server import serving


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


def test_it_overwrites_no_challenge(folder):
    with pytest.raises(ChallengeError, match="a challenge already"):
        make_demo(folder)
