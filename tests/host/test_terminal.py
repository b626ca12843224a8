"""``unmask submit`` and ``unmask board`` against the running server."""

import subprocess
import sys

import pytest

from tests.challenge.conftest import answers_of

from .server import serving


@pytest.fixture(scope="module")
def server(made, tmp_path_factory):
    import shutil

    with serving(shutil.copytree(made, tmp_path_factory.mktemp("terminal") / "toy")) as server:
        yield server


def run(*words):
    return subprocess.run([sys.executable, "-m", "unmask", *words], capture_output=True, text=True, timeout=120)


def test_a_good_file_is_sent_scored_and_on_the_board(server, tmp_path):
    token = server.team("Ünï <b>")
    answers_of(0.4).write_csv(tmp_path / "a.csv")
    told = run("submit", str(tmp_path / "a.csv"), "--server", server.url, "--token", token)
    assert told.returncode == 0, told.stderr
    assert "accepted, 120 rows" in told.stdout
    score = server.wait(token)[0]["public_score"]
    assert f"public score: {score}" in told.stdout
    assert "left today: 4" in told.stdout
    shown = run("board", server.url)
    assert shown.returncode == 0
    assert "Ünï <b>" in shown.stdout
    assert f"{score:.4f}" in shown.stdout


def test_a_bad_file_is_refused_with_all_its_faults(server, tmp_path):
    (tmp_path / "b.csv").write_text("id,score\nv001,2\n")
    told = run("submit", str(tmp_path / "b.csv"), "--server", server.url, "--token", server.team("Bad"))
    assert told.returncode == 2
    assert "between 0 and 1" in told.stderr
    assert "119 of the 120 ids have no row" in told.stderr
    assert "cost no submission" in told.stderr


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("board", "http://127.0.0.1:1"), "cannot be reached"),
        (("board", "{url}", "--part", "private"), "shown when the challenge is closed"),
        (("submit", "{file}", "--server", "{url}", "--token", "um_wrong"), "unknown or was revoked"),
        (("submit", "nowhere.csv", "--server", "{url}", "--token", "x"), "nowhere.csv"),
    ],
)
def test_errors_say_what_to_do(server, tmp_path, words, told):
    answers_of(0.4).write_csv(tmp_path / "a.csv")
    found = run(*(word.format(url=server.url, file=tmp_path / "a.csv") for word in words))
    assert found.returncode == 2
    assert told in found.stderr
    assert "next:" in found.stderr
