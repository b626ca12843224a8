"""Every abuse that reaches a server, against the running one."""

import gzip
import re
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import numpy as np
import polars as pl
import pytest
import yaml

from tests.challenge.conftest import answers_of
from unmask.challenge.create import create
from unmask.challenge.submission import score_submission

from .server import serving

GOOD = answers_of(0.3)
ROWS = GOOD.write_csv().splitlines()


@pytest.fixture(scope="module")
def server(made, tmp_path_factory):
    import shutil

    folder = shutil.copytree(made, tmp_path_factory.mktemp("abuse") / "toy")
    written = yaml.safe_load((folder / "challenge.yaml").read_text())
    written["limits"] = {"daily": 1000, "failures": 10_000, "megabytes": 5}
    (folder / "challenge.yaml").write_text(yaml.safe_dump(written))
    with serving(folder) as server:
        server.folder = folder
        yield server


@pytest.fixture(scope="module")
def token(server):
    return server.team("<b>Alpha</b>")


def changed(row, text):
    lines = list(ROWS)
    lines[row] = text
    return ("\n".join(lines) + "\n").encode()


FIRST, FIRST_SCORE = ROWS[1].split(",")
REFUSED = {
    **{f"score {score!r}": changed(1, f"{FIRST},{score}") for score in (
        "nan", "inf", "-inf", "1e400", "1_000", "٠.٥", "0.5\u00a0", "", "0,5", "1.0000001", "-0.1", "0x1", "=1", "True",
    )},
    "duplicate": changed(2, ROWS[1]),
    "missing": ("\n".join(ROWS[:-1]) + "\n").encode(),
    "extra": ("\n".join([*ROWS, "nobody,0.5"]) + "\n").encode(),
    "id with a zero-width mark": changed(1, f"{FIRST}\u200b,0.5"),
    "id in another case": changed(1, f"{FIRST.upper()},0.5"),
    "header in another case": ("\n".join(["ID,Score", *ROWS[1:]]) + "\n").encode(),
    "semicolons": "\n".join(ROWS).replace(",", ";").encode(),
    "NUL": changed(1, f"{FIRST},0.5\0"),
    "quoted newline": changed(1, f'"{FIRST}\n",0.5'),
    "a pickle": b"\x80\x04\x95\x10\x00\x00\x00\x00\x00\x00\x00\x8c\x05posix\x8c\x06system\x93.",
    "code": b"import os\nos.system('true')\n",
    "nothing": b"",
    "random bytes": bytes(np.random.default_rng(0).integers(0, 256, 5000, dtype=np.uint8)),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_a_bad_file_is_refused_with_a_reason(server, token, case):
    told = server.submit(token, REFUSED[case])
    assert told.status_code == 422, told.text
    error = told.json()["error"]
    assert error["code"] == "refused"
    assert error["problems"] or error["what"]
    assert "cost no submission" in error["next_step"]


def test_a_gzip_bomb_is_refused_while_it_unpacks(server, token):
    for text in (b"0" * 300_000_000, b"id,score\n" + b"v001,0.5\n" * 30_000_000):
        bomb = gzip.compress(text, 9)
        assert len(bomb) < 5 * 10**6
        told = server.submit(token, bomb, "bomb.csv.gz")
        assert told.status_code == 422
        assert "unpacks to more than 5 MB" in told.json()["error"]["what"]


def failures_left(server, token):
    return server.client.get("/api/me", headers=server.as_(token)).json()["quota"]["failures"]


@pytest.fixture(scope="module")
def bombs(tmp_path_factory):
    """Small Parquet files that unpack to gigabytes."""
    folder = tmp_path_factory.mktemp("bombs")
    names = pl.Series("id", ["x" * 4000, "y" * 4000], dtype=pl.Categorical).to_frame()
    pl.concat([names] * 500_000).with_columns(score=pl.lit(0.5)).write_parquet(folder / "rows.parquet")
    cell = pl.DataFrame({"id": ["x" * 900_000_000], "score": [0.5]})
    cell.write_parquet(folder / "cell.parquet", compression="zstd")
    wide = pl.DataFrame({f"c{number}": np.zeros(100) for number in range(20_000)})
    wide.write_parquet(folder / "wide.parquet")
    return {path.stem: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.parametrize("kind", ["rows", "cell", "wide"])
def test_a_parquet_bomb_is_refused(server, token, bombs, kind):
    if len(bombs[kind]) < 5_000_000:
        left = failures_left(server, token)
        told = server.submit(token, bombs[kind], f"{kind}.parquet")
        assert told.status_code == 422, told.text
        assert failures_left(server, token) == left - 1
    assert server.client.get("/").status_code == 200


def test_a_file_that_makes_its_reader_abort_is_refused_and_the_server_lives(server, token):
    left = failures_left(server, token)
    for turn in range(2):
        told = server.submit(token, (Path(__file__).parent / "aborting.parquet").read_bytes(), "a.parquet")
        assert told.status_code == 422, told.text
        assert failures_left(server, token) == left - 1 - turn
    assert server.process.poll() is None
    assert server.submit(token, answers_of(0.4, 77).write_csv().encode()).status_code == 201


def test_pages_are_served_while_one_team_sends_endless_rows(server):
    token, other = server.team("Flood"), server.team("Dry")
    flood = gzip.compress(b"id,score\n" + b",\n" * 2_400_000, 9)
    with ThreadPoolExecutor(24) as pool:
        sent = [pool.submit(server.submit, token, flood, "flood.csv.gz") for _ in range(24)]
        time.sleep(0.5)
        assert server.client.get("/").status_code == 200
        assert server.submit(other, GOOD.write_csv().encode()).status_code == 201
        assert not all(each.done() for each in sent)  # both were answered in between
        assert {each.result().status_code for each in sent} == {422}


def test_nothing_long_is_read_from_strangers(server):
    data = bytes(4_000_000)
    told = server.client.post("/api/submissions", files={"file": ("a.csv", data)})
    assert (told.status_code, told.json()["error"]["code"]) == (401, "no_token")
    assert server.submit("um_" + "x" * 43, data).status_code == 401
    page = server.client.post("/submit", files={"file": ("a.csv", data)}, headers={"Accept": "text/html"})
    assert (page.status_code, page.headers["location"]) == (303, "/sign-in")
    told = server.client.post("/api/register", content=data, headers={"Content-Type": "application/json"})
    assert told.status_code == 413
    assert "65,536 bytes" in told.json()["error"]["what"]


def test_head_is_answered_as_get_is(server):
    for path in ("/", "/api/board", "/api/openapi.json", "/nothing"):
        told, got = server.client.head(path), server.client.get(path)
        assert told.status_code == got.status_code
        assert told.headers["content-type"] == got.headers["content-type"]
        assert told.content == b""


UNSEEN = ["Alpha\u3164", "Alpha\ufe0f", "Alpha\u034f", "Alpha\u2800", "Alpha\u115f", "Alpha\u17b4", "Alpha\U000e0100"]


@pytest.mark.parametrize("name", [*UNSEEN, "\u3164", "Z" + "\u0301" * 59, "\ufdfa" * 60, "x" * 61, " \n"])
def test_names_that_nobody_can_read_are_refused(server, name):
    told = server.client.post("/api/teams", json={"name": name, "member": "Ann"}, headers=server.as_(server.organizer))
    assert (told.status_code, told.json()["error"]["code"]) == (422, "bad_name")


@pytest.mark.parametrize("name", ["\u0410lpha One", "alpha  one", "\uff21lpha One", "A1pha One", "AIpha 0ne"])
def test_names_that_pass_for_anothers_are_refused(server, name):
    who = server.as_(server.organizer)
    server.client.post("/api/teams", json={"name": "Alpha One", "member": "Ann"}, headers=who)
    told = server.client.post("/api/teams", json={"name": name, "member": "Ann"}, headers=who)
    assert (told.status_code, told.json()["error"]["code"]) == (409, "name_taken")


def test_names_of_all_languages_are_taken(server):
    for name in ("Ünïcödé 北京", "Việt Nam ế", "Команда", "नमस्ते दुनिया", "β-VAE", "فريق"):
        server.team(name)


@pytest.mark.parametrize("reason", [" ", "\u202e \u200b", "a\0b", "one\ntwo"])
def test_reasons_that_nobody_can_read_are_refused(server, token, reason):
    for path in ("/api/teams/1/disqualify", "/api/teams/1/reinstate", "/api/rescore"):
        told = server.client.post(path, json={"reason": reason}, headers=server.as_(server.organizer))
        assert (told.status_code, told.json()["error"]["code"]) == (422, "bad_reason")


def test_two_files_at_once_are_refused(server, token):
    files = [("file", ("a.csv", GOOD.write_csv().encode())), ("file", ("b.csv", b"x"))]
    told = server.client.post("/api/submissions", files=files, headers=server.as_(token))
    assert (told.status_code, told.json()["error"]["code"]) == (422, "many_files")


def test_a_zip_is_no_table(server, token):
    assert server.submit(token, b"PK\x03\x04" + bytes(100), "x.zip").status_code == 422


def test_long_bodies_are_cut_off(server, token):
    told = server.submit(token, b"0" * 6_000_000)
    assert (told.status_code, told.json()["error"]["code"]) == (413, "too_large")

    def endless():
        yield b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\n'
        for _ in range(200):
            yield b"0" * 100_000

    headers = server.as_(token) | {"Content-Type": "multipart/form-data; boundary=x"}
    try:
        told = server.client.post("/api/submissions", content=endless(), headers=headers)
        assert told.status_code == 413
    except httpx.WriteError:
        pass  # it hung up on us


@pytest.mark.parametrize(
    "data",
    [
        "\r\n".join(ROWS).encode(),
        b"\xef\xbb\xbf" + "\n".join([ROWS[0], *sorted(ROWS[1:])]).encode(),
        "\n".join(["filename,label", *reversed(ROWS[1:])]).encode(),
        gzip.compress("\n".join(ROWS).encode()),
    ],
)
def test_what_a_spreadsheet_may_do_is_accepted(server, token, data):
    name = "a.csv.gz" if data.startswith(b"\x1f\x8b") else "a.csv"
    assert server.submit(token, data, name).status_code == 201


def test_the_sample_submission_is_accepted(server):
    data = (server.folder / "sample_submission.csv").read_bytes()
    assert server.submit(server.team("Sample"), data, "sample_submission.csv").status_code == 201


def test_tokens_are_never_kept_or_told_again(server, token):
    for path in server.folder.rglob("*"):
        if path.is_file():
            data = path.read_bytes()
            assert token.encode() not in data
            assert server.organizer.encode() not in data
    told = server.client.get("/api/tokens", headers=server.as_(server.organizer)).text
    assert token not in told


def test_private_numbers_are_nowhere_before_the_close(server, tmp_path):
    token = server.team("Private")
    told = server.submit(token, answers_of(0.25, seed=11).write_csv().encode())
    server.wait(token)
    answers_of(0.25, seed=11).write_csv(tmp_path / "same.csv")
    private = score_submission(server.folder, tmp_path / "same.csv", usage="private").metrics["roc_auc"].value
    public = score_submission(server.folder, tmp_path / "same.csv", usage="public").metrics["roc_auc"].value
    digits = {f"{private:.{n}f}" for n in (4, 6)}
    assert f"{public:.4f}" not in digits
    paths = server.client.get("/api/openapi.json").json()["paths"]
    seen = 0
    for path, methods in paths.items():
        if "get" not in methods:
            continue
        at = re.sub(r"\{\w+\}", str(told.json()["id"]), path)
        for query in ({}, {"part": "private"}, {"part": "private", "scoring": 1}):
            answer = server.client.get(at, params=query, headers=server.as_(token))
            seen += answer.status_code == 200
            assert not any(each in answer.text for each in digits), at
            assert str(private)[:8] not in answer.text
    assert seen > 8


def test_members_may_nothing_that_organizers_may(server, token):
    paths = server.client.get("/api/openapi.json").json()["paths"]
    desk = [
        (method, path)
        for path, methods in paths.items()
        for method, told in methods.items()
        if "organizer" in told.get("tags", [])
    ]
    assert len(desk) >= 10
    for method, path in desk:
        at = re.sub(r"\{\w+\}", "1", path)
        body = {"name": "x", "member": "x", "reason": "x"} if method == "post" else None
        for headers, status in (({}, 401), (server.as_("um_wrong"), 401), (server.as_(token), 403)):
            assert server.client.request(method, at, json=body, headers=headers).status_code == status, at


def test_another_team_s_submission_is_not_there(server, token):
    mine = server.submit(token, answers_of(0.2, seed=21).write_csv().encode()).json()["id"]
    other = server.team("Other")
    assert server.client.get(f"/api/submissions/{mine}", headers=server.as_(other)).status_code == 404
    told = server.client.put(f"/api/submissions/{mine}/pick", json={"picked": True}, headers=server.as_(other))
    assert told.status_code == 404


@pytest.mark.parametrize(
    "name", ["<b>ALPHA</b>", "  <b>alpha</b> ", "＜b＞Alpha＜/b＞", "", "x" * 61, "a\u200bb", "a\x00b", "\u202eab"]
)
def test_names_that_pass_for_another_s_or_are_unseen_are_refused(server, token, name):
    told = server.client.post("/api/teams", json={"name": name, "member": "x"}, headers=server.as_(server.organizer))
    assert told.status_code in (409, 422)
    assert told.json()["error"]["what"]


def test_every_error_has_one_shape(server, token):
    answers = [
        server.client.get("/api/nowhere"),
        server.client.put("/api/board"),
        server.client.get("/api/me"),
        server.client.get("/api/board", params={"part": "x"}),
        server.client.post("/api/register", content=b"{"),
        server.client.get("/api/submissions/99999999999999", headers=server.as_(token)),
    ]
    for answer in answers:
        assert answer.status_code >= 400
        assert set(answer.json()) == {"error"}
        assert set(answer.json()["error"]) == {"code", "what", "next_step", "problems"}


def oracle(ids, labels_of, rng):
    """Submissions that ask for the label of one row each, and for several at once by the size of their losses."""
    for row in range(20):
        yield [row], pl.DataFrame({"id": ids, "score": [0.9 if n == row else 0.5 for n in range(len(ids))]})
        yield [row], pl.DataFrame({"id": ids, "score": [1e-15 if n == row else 0.5 for n in range(len(ids))]})
    for _ in range(20):
        rows = rng.choice(len(ids), 6, replace=False).tolist()
        scores = np.full(len(ids), 0.5)
        scores[rows] = 1 / (1 + np.exp(2.0 ** np.arange(6)))
        yield rows, pl.DataFrame({"id": ids, "score": scores})


@pytest.mark.parametrize("metric", ["log_loss", "roc_auc", "brier", "eer"])
def test_the_label_oracle_reads_nothing_with_the_shipped_defaults(tmp_path, manifest_of_4000, metric):
    """Were any shown number different from that of saying nothing, it would tell of the rows that were asked for."""
    folder = create(tmp_path / "c", manifest_of_4000, metric=metric).folder
    written = yaml.safe_load((folder / "challenge.yaml").read_text())
    written["limits"] = {"daily": 1000}
    (folder / "challenge.yaml").write_text(yaml.safe_dump(written))
    ids = pl.read_csv(folder / "sample_submission.csv")["id"].to_list()
    with serving(folder) as server:
        token = server.team()
        for _, asked in oracle(ids, None, np.random.default_rng(0)):
            assert server.submit(token, asked.write_csv().encode()).status_code == 201
        found = server.wait(token, 300)
        assert len(found) == 60
        assert {each["state"] for each in found} == {"scored"}
        assert {(each["public_score"], each["shown_of"]) for each in found} == {(None, None)}
        rows = server.client.get("/api/board").json()["entries"]
        assert [row["held_back"] for row in rows] == [True]
        assert set(rows[0]["trend"]) == {None}
        assert 0.25 <= rows[0]["score"] <= 0.6932  # 0.5, or ln 2, or a quarter: what saying nothing gets


@pytest.fixture
def manifest_of_4000(tmp_path):
    rng = np.random.default_rng(1)
    names = [f"v{number:04d}" for number in rng.permutation(4000)]
    pl.DataFrame({"id": names, "label": rng.integers(0, 2, 4000), "split": "test"}).write_csv(tmp_path / "m.csv")
    return tmp_path / "m.csv"


def test_a_broken_challenge_is_not_scored_again_by_what_was_there_before(server):
    path = server.folder / "challenge.yaml"
    good = path.read_text()
    before = len(server.client.get("/api/scorings").json())
    try:
        path.write_text(good + "metrik: x\n")
        told = server.client.post(
            "/api/rescore", json={"reason": "another metric"}, headers=server.as_(server.organizer)
        )
    finally:
        path.write_text(good)
    assert told.status_code == 409
    assert any("metrik" in line for line in told.json()["error"]["problems"])
    assert len(server.client.get("/api/scorings").json()) == before
