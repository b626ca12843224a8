"""What pages, scorecards, charts and exports show, and what they do not."""

import csv
import html
import io
import re
import time
import zipfile
from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree

import numpy as np
import pytest
import yaml

from tests.challenge.conftest import answers_of
from unmask.challenge.submission import read_submission, score_submission
from unmask.host.accounts import make_token
from unmask.host.records import Submission, Team
from unmask.host.web.pages.drawings import draw_intervals, draw_progress, draw_shifts
from unmask.tables.errors import TableError

from .conftest import HOSTILE, Reader, secret_in

SVG = "{http://www.w3.org/2000/svg}"
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def play(toy, names=("Alpha", HOSTILE, "=cmd"), each=2):
    """Teams that have sent files, all scored: name -> their readers."""
    readers = {}
    for number, name in enumerate(names):
        account = toy.team(name)
        for turn in range(each):
            toy.clock.turn(minutes=1)
            toy.submit(account, quality=0.1 + 0.1 * number + 0.05 * turn, seed=10 * number + turn)
        with toy.database.writing() as session:
            token = make_token(session, toy.clock(), "test", "other", session.get(Team, account.team_id))
        readers[name] = toy.reader(token)
    assert all(toy.score_all())
    return readers


def cells(page):
    """Rows of all tables of a page, as lists of text."""
    rows = re.findall(r"<tr[^>]*>(.*?)</tr>", page, re.DOTALL)
    return [
        [
            " ".join(re.sub("<[^>]+>", " ", cell).split())
            for cell in re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.DOTALL)
        ]
        for row in rows
    ]


def numbers_of(toy, submission_id, usage):
    with toy.database.reading() as session:
        stored = toy.host.files.path(session.get(Submission, submission_id).stored)
    card = score_submission(toy.folder, stored, usage=usage)
    return {name: found.value for name, found in card.metrics.items()}


def test_the_board_says_what_the_api_says(toy):
    play(toy)
    reader = Reader(toy.app)
    told = reader.client.get("/api/board").json()["entries"]
    rows = cells(reader.get("/").text)
    assert [row[0].split()[0] for row in rows[1:]] == [str(each["rank"]) for each in told]
    assert [row[2].split()[0] for row in rows[1:]] == [f"{each['score']:.4f}" for each in told]
    assert {"Alpha", "=cmd"} < {row[1] for row in rows}


def test_private_numbers_are_shown_at_the_close_and_not_before(toy):
    readers = play(toy)
    organizer = toy.reader(toy.organizer)
    private = {f"{numbers_of(toy, number, 'private')['roc_auc']:.4f}" for number in range(1, 7)}
    public = {f"{numbers_of(toy, number, 'public')['roc_auc']:.4f}" for number in range(1, 7)}
    secret = private - public
    assert secret
    alpha = readers["Alpha"]
    paths = ["/", "/overview", "/rules", "/data", "/submit", "/submissions", "/submissions/1", "/submissions/2"]
    charts = ["/charts/ranks.svg", "/charts/progress.svg"]
    for page in [alpha.get(path).text for path in paths + charts]:
        assert not any(number in page for number in secret)
    for path in ("/?part=private", "/charts/ranks.svg?part=private", "/charts/shake-up.svg"):
        alpha.get(path, 403)
        Reader(toy.app).get(path, 403)
        organizer.get(path)
    assert any(number in organizer.get("/?part=private").text for number in secret)
    organizer.post("/desk/close", 422)
    assert "Close the challenge?" in organizer.get("/desk/close").text
    organizer.post("/desk/close", sure="true")
    board = Reader(toy.app).get("/").text
    assert "Public rank" in board
    assert any(number in board for number in secret)
    Reader(toy.app).get("/charts/shake-up.svg")
    assert "frozen" in alpha.get("/submissions").text
    alpha.post("/submissions/1/pick", 403, picked="true")
    assert "closed already" in organizer.get("/desk/close").text


def test_a_scorecard_has_the_public_numbers_and_nothing_that_labels_can_be_read_from(toy):
    readers = play(toy)
    card = readers["Alpha"].get("/submissions/2")
    values = {row[0]: row[1].split()[0] for row in cells(card.text) if len(row) > 2}
    public = numbers_of(toy, 2, "public")
    told = next(value for name, value in values.items() if name.startswith("ROC AUC"))
    assert told == f"{public['roc_auc']:.4f}"
    told = next(value for name, value in values.items() if name.startswith("Brier score"))
    assert told == f"{public['brier']:.2f}"
    assert "By method" in card.text
    # A curve or a histogram of the classes would tell the labels in the order of the scores.
    assert "<svg" not in card.text
    assert not re.search(r"\d\.\d{5,}", card.text)
    assert "script-src" not in card.headers["content-security-policy"]
    assert "default-src 'none'" in card.headers["content-security-policy"]
    readers["=cmd"].get("/submissions/2", 404)
    Reader(toy.app).get("/submissions/2", 303)
    assert toy.reader(toy.organizer).get("/submissions/2").text == card.text


def test_a_scorecard_has_no_slice_that_the_challenge_does_not_show(site):
    toy = site(slices=[])
    card = play(toy)["Alpha"].get("/submissions/1").text
    assert not any(word in card for word in ("By method", "swap", "blend"))


def test_a_scorecard_is_kept_and_made_anew_where_it_would_be_another(toy):
    alpha = play(toy)["Alpha"]
    first = alpha.get("/submissions/1").text
    kept = list((toy.host.folder / "cards").iterdir())
    assert len(kept) == 1
    kept[0].write_text(first + "<!-- kept -->")
    assert alpha.get("/submissions/1").text.endswith("<!-- kept -->")
    path = toy.folder / "challenge.yaml"
    path.write_text(yaml.safe_dump(yaml.safe_load(path.read_text()) | {"slices": []}))
    assert "By method" not in alpha.get("/submissions/1").text


def test_what_the_ladder_holds_back_has_no_card_of_its_own(site):
    toy = site(ladder=True)
    account = toy.team("Alpha")
    noise = np.random.default_rng(5).random(120)
    toy.submit(account, answers_of(0.0).with_columns(score=noise))
    toy.submit(account, quality=0.5, seed=1)
    toy.submit(account, quality=0.3, seed=2)
    toy.score_all()
    organizer = toy.reader(toy.organizer)
    numbers = [numbers_of(toy, number, "public")["roc_auc"] for number in (1, 2, 3)]
    assert numbers[2] < numbers[1]
    assert "better than chance" in organizer.get("/submissions/1", 404).text
    held = organizer.get("/submissions/3").text
    assert "These are the numbers of submission 2" in held
    assert f"{numbers[1]:.4f}" in held
    assert f"{numbers[2]:.4f}" not in held


def test_a_rescore_keeps_the_old_board_and_says_what_moved(toy):
    play(toy)
    organizer, reader = toy.reader(toy.organizer), Reader(toy.app)
    before = reader.client.get("/api/board").json()["entries"]
    path = toy.folder / "challenge.yaml"
    path.write_text(yaml.safe_dump(yaml.safe_load(path.read_text()) | {"metric": "brier"}))
    assert "is not what the board was scored with" in organizer.get("/desk").text
    assert "is being changed" in organizer.get("/submissions/1", 409).text
    organizer.post("/desk/rescore", reason="<i>calibration</i> counts")
    assert "is not complete" in reader.get("/").text
    old = cells(reader.get("/?scoring=1").text)
    assert [row[2].split()[0] for row in old[1:]] == [f"{each['score']:.4f}" for each in before]
    toy.queued += range(1, 7)
    toy.score_all()
    time.sleep(2.1)  # a board is shown for two seconds though something has changed
    page = reader.get("/").text
    assert "is not complete" not in page
    assert "Brier score: lower is better" in page
    assert "ROC AUC: higher is better" in reader.get("/?scoring=1").text
    now = {each["team"]: each["rank"] for each in reader.client.get("/api/board").json()["entries"]}
    moved = sum(now[each["team"]] != each["rank"] for each in before)
    assert f"{moved} of 3 teams have another rank than in scoring 1" in page
    assert "&lt;i&gt;calibration&lt;/i&gt; counts" in page
    reader.get("/?scoring=9", 404)


def test_tracks_have_boards_of_their_own(site):
    toy = site(tracks=["open", "closed & <b>"])
    toy.submit(toy.team("Alpha"), quality=0.4, track="open")
    toy.submit(toy.team("Beta"), quality=0.5, track="closed & <b>")
    toy.score_all()
    reader = Reader(toy.app)
    assert [row[1] for row in cells(reader.get("/").text)[1:]] == ["Alpha"]
    other = reader.client.get("/", params={"track": "closed & <b>"}).text
    assert [row[1] for row in cells(other)[1:]] == ["Beta"]
    assert "<b>&lt;" not in other
    reader.get("/?track=none", 404)


def test_picks_have_their_limit(toy):
    alpha = play(toy, ("Alpha",), each=3)["Alpha"]
    alpha.post("/submissions/1/pick", picked="true")
    alpha.post("/submissions/2/pick", picked="true")
    assert "2 of 2 made" in alpha.get("/submissions").text
    assert "take one of them back" in alpha.post("/submissions/3/pick", 409, picked="true").text
    alpha.post("/submissions/1/pick", picked="false")
    assert "1 of 2 made" in alpha.get("/submissions").text


def test_a_refused_file_says_all_and_costs_none(toy, tmp_path):
    alpha = play(toy, ("Alpha",), each=1)["Alpha"]
    bad = tmp_path / "bad.csv"
    bad.write_text("id,score\n<b>,2\n")
    with pytest.raises(TableError) as found:
        read_submission(bad, toy.host.challenge.ids)
    told = alpha.post("/submit", 422, files={"file": ("bad.csv", bad.read_bytes())}).text
    listed = re.search('class="problems"[^>]*><ol>(.*?)</ol>', told, re.DOTALL)[1]
    assert "<b>" not in listed
    listed = [html.unescape(each) for each in re.findall("<li>(.*?)</li>", listed)]
    assert listed == found.value.told(200)
    assert f"{len(found.value.problems)} problems" in told
    assert "<b>19</b> of 20" in told
    assert "49 more are looked at" in told
    assert "choose one" in alpha.post("/submit", 422).text
    again = alpha.post("/submit", 409, files={"file": ("x.csv", answers_of(0.1, 0).write_csv().encode())}).text
    assert "as submission 1" in again


def test_times_are_utc(toy):
    play(toy)
    page = Reader(toy.app).get("/").text
    assert '<time datetime="2026-03-01T12:06:00+00:00">2026-03-01 12:06 UTC</time>' in page
    organizer = toy.reader(toy.organizer)
    token = secret_in(organizer.post("/desk/tokens", 201, member="Zoe", team="1"))
    assert '<time datetime="2026-03-02T00:00:00+00:00">' in toy.reader(token).get("/submit").text


def test_the_export_has_no_formula(toy):
    play(toy)
    bundle = toy.reader(toy.organizer).get("/desk/export.zip")
    with zipfile.ZipFile(io.BytesIO(bundle.content)) as archive:
        assert sorted(archive.namelist()) == ["board-private.csv", "board-public.csv", "submissions.csv"]
        tables = {name: list(csv.DictReader(io.StringIO(archive.read(name).decode()))) for name in archive.namelist()}
    cells_ = [cell for table in tables.values() for row in table for cell in row.values()]
    assert not [cell for cell in cells_ if cell[:1] in set("=+@\t\r") or re.match("-[^0-9]", cell)]
    assert {row["team"] for row in tables["board-public.csv"]} == {"Alpha", HOSTILE, "'=cmd"}
    told = Reader(toy.app).client.get("/api/board").json()["entries"]
    assert [float(row["roc_auc"]) for row in tables["board-public.csv"]] == [each["score"] for each in told]
    assert len(tables["submissions.csv"]) == 6


def test_the_audit_page_tells_a_changed_line(toy):
    play(toy)
    organizer = toy.reader(toy.organizer)
    assert "unbroken" in organizer.get("/desk/audit").text
    with toy.database.writing() as session:
        connection = session.connection()
        for name in connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'trigger'").scalars().all():
            connection.exec_driver_sql(f"DROP TRIGGER {name}")
        connection.exec_driver_sql("UPDATE events SET actor = 'nobody' WHERE id = 3")
    assert "Line 3 does not follow" in organizer.get("/desk/audit").text


DRAWINGS = {
    "intervals": draw_intervals(((HOSTILE, 1, 1, 2), ("]]>&amp;", 2, 1, 2))),
    "shifts": draw_shifts(((HOSTILE, 2, 1), ("]]>&amp;", 1, 2))),
    "progress": draw_progress(
        ((HOSTILE, ((NOW, 0.5), (NOW + timedelta(days=2), 0.75))), ("]]>&amp;", ((NOW, 0.5),))), 4
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", DRAWINGS)
def test_a_chart_is_an_image_that_names_whoever_it_shows(name):
    root = ElementTree.fromstring(DRAWINGS[name])
    assert root.tag == f"{SVG}svg"
    texts = [each.text.strip() for each in root.iter(f"{SVG}text") if each.text]
    assert HOSTILE[:19] in " ".join(texts)
    assert "]]>&amp;" in " ".join(texts)
    assert not {each.tag for each in root.iter()} & {f"{SVG}script", f"{SVG}foreignObject", f"{SVG}image"}
    assert not [name for each in root.iter() for name in each.attrib if name.startswith("on") or "href" in name]
    dots = [each for each in root.iter(f"{SVG}circle") if float(each.get("r")) > 0]
    assert len(dots) == {"intervals": 2, "shifts": 4, "progress": 3}[name]
    assert "prefers-color-scheme: dark" in root.find(f"{SVG}style").text


def test_one_score_or_equal_ones_can_be_drawn():
    for lines in ((("A", ((NOW, 0.5),)),), (("A", ((NOW, 0.5),)), ("B", ((NOW, 0.5),)))):
        ElementTree.fromstring(draw_progress(lines, 4))
    ElementTree.fromstring(draw_intervals((("A", 1, 1, 1),)))


def test_charts_tell_no_more_digits_than_boards(site):
    toy = site(digits=1)
    account = toy.team("Alpha")
    toy.submit(account, quality=0.3, seed=1)
    toy.clock.turn(minutes=1)
    toy.submit(account, quality=0.5, seed=2)
    toy.score_all()
    exact = [numbers_of(toy, number, "public")["roc_auc"] for number in (1, 2)]
    assert len({round(each, 1) for each in exact}) == 2
    drawn = Reader(toy.app).get("/charts/progress.svg")
    at = toy.clock()
    steps = tuple((at - timedelta(minutes=1 - turn), round(each, 1)) for turn, each in enumerate(exact))
    assert drawn.text == draw_progress((("Alpha", steps),), 1)
    assert drawn.headers["content-type"] == "image/svg+xml"


def test_what_is_not_to_be_shown_is_not(site):
    toy = site(show=["tier"])
    play(toy)
    reader = Reader(toy.app)
    page = reader.get("/").text
    rows = cells(page)
    assert rows[0] == ["Rank", "Team", "Tier", "Entries", "Last"]
    assert not re.search(r"\b0\.\d{4}\b", page)
    assert not re.search(r'<td class="number place">\d<small>', page)
    reader.get("/charts/ranks.svg", 404)
    reader.get("/charts/progress.svg", 404)


def test_static_files_are_kept_and_change_their_address(toy):
    page = Reader(toy.app).get("/").text
    for address in re.findall(r'"(/static/[^"]+)"', page):
        found = Reader(toy.app).get(address)
        assert "immutable" in found.headers["cache-control"]
        assert re.search(r"\?v=[0-9a-f]{12}$", address)
    assert page.count("<script") == 1
    assert re.search(r"<script[^>]+defer", page)
    assert page.count('rel="stylesheet"') == 1
