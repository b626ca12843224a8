"""``unmask submit`` and ``unmask board`` against servers that are no challenge, or are not in order."""

from __future__ import annotations

import json
import os
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from unmask.cli.main import main

ROW = {
    "team": "A", "entries": 1, "rank": 1, "tier": None, "score": 0.5, "low": 0.5, "high": 0.5, "rank_low": 1,
    "rank_high": 60, "held_back": False,
}  # fmt: skip
ANSWERS = {
    "/api/challenge": {"name": "Toy", "metrics": [{"title": "AUC", "direction": "higher"}], "digits": 4},
    "/api/board": {"entries": [ROW], "waiting": 0},
    "/api/me": {"quota": {"today": 4, "resets": "tomorrow"}},
    "/api/submissions": {"id": 7, "state": "queued", "rows": 2, "public_score": None, "shown_of": None},
}


@contextmanager
def answering(status=200, everywhere=None, **own):
    """The address of a server that gives these answers, whatever it is asked."""
    answers = ANSWERS | {f"/api/{name}": told for name, told in own.items()}

    class Odd(BaseHTTPRequestHandler):
        def do_GET(self):
            self.rfile.read(int(self.headers.get("content-length") or 0))
            path = self.path.partition("?")[0].rstrip("/0123456789")
            body = json.dumps(answers[path]).encode() if everywhere is None else everywhere
            self.send_response(status)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_GET  # noqa: N815

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Odd) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture
def run(capfd):
    def command(*words, code=2):
        assert main(list(map(str, words))) == code
        said = capfd.readouterr()
        assert "unmask itself failed" not in said.err
        return said.err if code else said.out

    return command


@pytest.fixture
def file(tmp_path):
    (tmp_path / "a.csv").write_text("id,score\na,0\nb,1\n")
    return tmp_path / "a.csv"


@pytest.mark.parametrize("status", [200, 422, 500])
@pytest.mark.parametrize(
    "body",
    [b"[]", b'"x"', b"null", b"{}", b"<html>", b"", b'{"error": "x"}', b'{"error": {"what": null, "problems": null}}',
     b'{"quota": null}', b'{"detail": []}', b"\xff"],
)  # fmt: skip
def test_answers_that_no_challenge_gives(run, file, status, body):
    with answering(status, body) as url:
        assert f"answers {status}, and not as a challenge does" in run("board", url)
        assert f"answers {status}, and not as a challenge does" in run("submit", file, "--server", url, "--token", "x")


@pytest.mark.parametrize(
    "own",
    [{"challenge": {"name": "Toy", "metrics": [], "digits": 4}},
     {"challenge": ANSWERS["/api/challenge"] | {"digits": "4"}},
     {"board": {"entries": [1], "waiting": 0}}, {"board": {"entries": [ROW | {"score": "0.5"}], "waiting": 0}}],
)  # fmt: skip
def test_a_board_that_is_none(run, own):
    with answering(**own) as url:
        assert "not as a challenge does" in run("board", url)


def test_no_text_of_a_server_reaches_the_terminal_raw(run):
    error = {"what": "\x1b[2J\x1b]0;pwn\x07", "next_step": "\x1b[1m", "problems": ["\x1b[31m\ud800"]}
    with answering(422, json.dumps({"error": error}).encode()) as url:
        said = run("board", url)
    assert "\\x1b[2J" in said
    with answering(board={"entries": [ROW | {"team": "\x1b[2Jme"}], "waiting": 0}) as url:
        shown = run("board", url, code=0)
    assert "\\x1b[2Jme" in shown
    assert "\x1b" not in said + shown


@pytest.mark.parametrize("address", ["http://[", "ftp://x", "http://", "", "javascript:alert(1)", "http://x:port"])
def test_addresses_that_are_none(run, address):
    assert "next:" in run("board", address)


def test_a_server_without_https_is_named_with_http(run):
    with answering() as url:
        assert f"write http:// if it has no HTTPS: {url}\n" in run("board", url.removeprefix("http://"))


@pytest.mark.parametrize("token", ["um_é", "um_x\ny", "um x"])
def test_tokens_that_are_none(run, file, token):
    assert "the token has signs" in run("submit", file, "--server", "http://127.0.0.1:1", "--token", token)


def test_what_is_no_file_is_not_sent(run, tmp_path):
    os.mkfifo(tmp_path / "pipe.csv")
    for path in (tmp_path, tmp_path / "none.csv", tmp_path / "pipe.csv"):
        said = run("submit", path, "--server", "http://127.0.0.1:1", "--token", "x")
        assert "there is no such file" in said
        assert "written" not in said


def test_a_name_that_is_not_utf_8(run, file):
    path = os.fsencode(file.parent) + b"/\xff.csv"
    os.rename(file, path)  # noqa: PTH104  # of bytes
    with answering() as url:
        words = ("submit", os.fsdecode(path), "--server", url, "--token", "x", "--no-wait")
        assert run(*words, code=0).startswith("submission 7: accepted, 2 rows\n")


def test_nobody_waits_for_a_paused_scoring(run, file):
    with answering(submissions=ANSWERS["/api/submissions"] | {"paused": True}) as url:
        said = run("submit", file, "--server", url, "--token", "x", code=0)
    assert f"scoring is paused by the organizer; the score will stand at {url}/submissions\n" in said


def test_a_board_without_rows_and_one_with_a_score_that_is_not_shown(run):
    with answering(board={"entries": [], "waiting": 2}) as url:
        said = run("board", url, code=0)
    assert "no team has a scored submission yet" in said
    assert "━" not in said
    with answering(board={"entries": [ROW, ROW | {"held_back": True, "team": "B"}], "waiting": 0}) as url:
        said = run("board", url, code=0)
    first, second = (line for line in said.splitlines() if "0.5000" in line or " B " in line)
    assert "0.5000 to 0.5000" in first
    assert "1 to 60" in first
    assert "0.5000" not in second
    assert "60" not in second
    assert "nothing that the team has sent is better than chance" in said


def test_an_unknown_part_is_told_in_words(run):
    assert "give public or private" in run("board", "http://127.0.0.1:1", "--part", "foo")
