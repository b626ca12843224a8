"""What pages, scorecards, charts and exports show, and what they do not."""

import csv
import html
import io
import json
import re
import time
import zipfile
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from xml.etree import ElementTree

import numpy as np
import pytest
import yaml

from tests.challenge.conftest import answers_of
from unmask.challenge.places import Place
from unmask.challenge.submission import read_submission, score_submission
from unmask.host.accounts import make_token
from unmask.host.boards import Board, Row
from unmask.host.records import Submission, Team
from unmask.host.web.pages.drawings import draw_intervals, draw_progress, draw_shifts
from unmask.host.web.pages.tables import table_of
from unmask.host.web.pages.texts import SETTINGS
from unmask.scoring.metrics import METRICS, Settings
from unmask.scoring.metrics.metric import Undefined
from unmask.scoring.sample import Sample
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
    page = reader.get("/").text
    assert "Everything is being scored again" in page
    assert [row[2].split()[0] for row in cells(page)[1:]] == [f"{each['score']:.4f}" for each in before]
    assert "will still change" in reader.get("/?scoring=2").text
    old = cells(reader.get("/?scoring=1").text)
    assert [row[2].split()[0] for row in old[1:]] == [f"{each['score']:.4f}" for each in before]
    toy.queued += range(1, 7)
    toy.score_all()
    time.sleep(2.1)  # a board is shown for two seconds though something has changed
    page = reader.get("/").text
    assert "being scored again" not in page
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
    reader.get("/?track=none", 422)


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
    assert '<time datetime="2026-03-01T12:06:00+00:00">2026-03-01 12:06\N{NO-BREAK SPACE}UTC</time>' in page
    organizer = toy.reader(toy.organizer)
    token = secret_in(organizer.post("/desk/tokens", 201, member="Zoe", team="1"))
    assert '<time datetime="2026-03-02T00:00:00+00:00">' in toy.reader(token).get("/submit").text


def test_the_export_has_no_formula(toy):
    play(toy)
    bundle = toy.reader(toy.organizer).get("/desk/export.zip")
    with zipfile.ZipFile(io.BytesIO(bundle.content)) as archive:
        names = ["audit.csv", "board-private.csv", "board-public.csv", "scorings.csv", "submissions.csv"]
        assert sorted(archive.namelist()) == [*names[:4], "snapshots.json", names[4]]
        tables = {name: list(csv.DictReader(io.StringIO(archive.read(name).decode()))) for name in names}
        told = json.loads(archive.read("snapshots.json"))
    assert told == toy.api("GET", "/api/snapshots")
    assert [each["sha256"] for each in toy.api("GET", "/api/audit")] == [row["sha256"] for row in tables["audit.csv"]]
    assert [row["reason"] for row in tables["scorings.csv"]] == [
        each["reason"] for each in toy.api("GET", "/api/scorings")
    ]
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
    assert len(dots) == {"intervals": 2, "shifts": 4, "progress": 5}[name]
    assert "prefers-color-scheme: dark" in root.find(f"{SVG}style").text


def labels_of(drawing):
    """Where a chart of progress writes names: (x, y) of each, in its plot's frame, and the plot's height."""
    root = ElementTree.fromstring(drawing)
    overlay = next(each for each in root.iter(f"{SVG}g") if each.get("class") == "plot text-overlay")
    background = next(
        each for graph in root.iter(f"{SVG}g") if graph.get("class") == "plot"
        for each in graph.iter(f"{SVG}rect") if each.get("class") == "background"
    )  # fmt: skip
    names = [(float(each.get("x")), float(each.get("y"))) for each in overlay.iter(f"{SVG}text")]
    return names, float(background.get("height"))


@pytest.mark.parametrize("ends", [[0.98 + 0.0001 * n for n in range(8)], [0.5] + [1 - 0.0001 * n for n in range(7)]])
def test_names_of_lines_are_inside_the_chart_and_beside_one_another(ends):
    lines = tuple((f"Team {n}", ((NOW, 0.4), (NOW + timedelta(days=3), end))) for n, end in enumerate(ends))
    names, height = labels_of(draw_progress(lines, 4))
    heights = sorted(y for _, y in names)
    assert len(heights) == 8
    assert heights[0] > 0
    assert heights[-1] < height + 13  # pygal sets a label its own height below its point
    assert min(b - a for a, b in pairwise(heights)) > 13


@pytest.mark.parametrize(
    ("span", "ticks", "axis"),
    [
        (timedelta(0), ["11:58", "11:59", "12:00"], "time in UTC, 2026-03-01"),
        (timedelta(hours=-6), ["06:00", "08:00", "10:00", "12:00"], "time in UTC, 2026-03-01"),
        (timedelta(hours=-24), ["12:00", "18:00", "03-01", "06:00", "12:00"], "time in UTC, 2026-02-28 to 2026-03-01"),
        (timedelta(days=-20), ["02-11", "02-16", "02-21", "02-26"], "time in UTC, 2026"),
        (timedelta(days=-75), ["12-18", "01-07", "01-27", "02-16"], "time in UTC, 2025 to 2026"),
        (timedelta(days=-500), ["2025-03", "2025-09"], "time in UTC, 2024 to 2026"),
    ],
)
def test_a_time_axis_has_round_times_and_says_their_zone(span, ticks, axis):
    root = ElementTree.fromstring(draw_progress((("A", ((NOW + span, 0.5), (NOW, 0.75))),), 4))
    texts = [each.text for each in root.iter(f"{SVG}text")]
    assert " ".join(each for each in texts if "time" in each or each.startswith("to ")) == axis
    of_axis = [
        each.text for each in next(g for g in root.iter(f"{SVG}g") if g.get("class") == "axis x").iter(f"{SVG}text")
    ]
    assert of_axis == ticks


def test_a_name_is_cut_by_its_width():
    drawn = draw_intervals((("W" * 60, 1, 1, 2), ("i" * 60, 2, 1, 2), ("日本の顔検出チーム日本の顔検出", 3, 1, 3)))
    wide, narrow, full = [
        each.text.count(each.text[0]) if each.text[0] in "Wi" else len(each.text)
        for each in ElementTree.fromstring(drawn).iter(f"{SVG}text")
        if each.text.endswith("…")
    ]
    assert wide * 12 < 140 > full * 12
    assert narrow > 2 * wide


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


def row(team, **place):
    held = place.pop("held_back", False)
    return Row(team, 1, 1, Place(**place), 1, NOW, held)


def drawn(toy, *rows):
    """Head and rows of a board's table."""
    return cells(str(table_of(toy.host.challenge.definition, (Board("public", "", 1, list(rows)), None, None)).html))


def test_what_is_held_back_has_no_numbers(toy):
    head, first, held = drawn(
        toy,
        row("A", rank=1, score=0.9, low=0.8, high=0.95, rank_low=1, rank_high=2, tier=1),
        row("B", rank=2, score=0.5, low=0.5, high=0.5, rank_low=2, rank_high=2, tier=2, held_back=True),
    )
    assert head[:5] == ["Rank", "Team", "Score", "95 % interval bars from 0.8 to 1.0", "Tier"]
    assert first[:4] == ["1 1 to 2", "A", "0.9000 0.8000 to 0.9500 tier 1", "0.8000 to 0.9500"]
    assert held[:4] == ["2", "B nothing better than chance yet", "– tier 2", "–"]


def test_an_interval_without_a_width_is_none(toy):
    _, told = drawn(toy, row("A", rank=1, score=1.0, low=1.0, high=1.0, rank_low=1, rank_high=1, tier=1))
    assert told[:4] == ["1", "A", "1.0000 tier 1", ""]


def test_without_tiers_there_is_no_column_and_the_board_says_why(site):
    toy = site(replicates=30)
    play(toy)
    page = Reader(toy.app).get("/").text
    assert "Tier" not in cells(page)[0]
    assert "There are no tiers: 30 replicates are too few to tell 3 teams apart." in page
    assert "Teams of one tier" not in page


def test_bars_begin_and_end_at_round_numbers(toy):
    for low, high, told in ((0.52, 0.98, "0.5 to 1.0"), (0.9912, 0.9951, "0.991 to 0.996"), (0.5, 0.5, "0.5 to 0.6")):
        head = drawn(toy, row("A", rank=1, score=low, low=low, high=high, rank_low=1, rank_high=1))[0]
        assert head[3] == f"95 % interval bars from {told}"


PHASES = [
    {"name": "Warm-up", "opens": datetime(2026, 3, 2, tzinfo=UTC), "closes": datetime(2026, 3, 9, tzinfo=UTC)},
    {"name": "Finals", "opens": datetime(2026, 3, 16, tzinfo=UTC), "closes": datetime(2026, 3, 23, tzinfo=UTC)},
]


@pytest.mark.parametrize(
    ("days", "told", "takes"),
    [
        (0, "Nothing can be sent yet: phase “Warm-up” opens 2026-03-02 00:00 UTC.", False),
        (2, "Phase “Warm-up”: open until 2026-03-09 00:00 UTC.", True),
        (9, "Nothing can be sent yet: phase “Finals” opens 2026-03-16 00:00 UTC.", False),
        (25, "Nothing can be sent any more: phase “Finals” ended 2026-03-23 00:00 UTC.", False),
    ],
)
def test_pages_say_whether_a_phase_is_open(site, days, told, takes):
    toy = site(phases=PHASES)
    ann = Reader(toy.app)
    ann.post("/join", 201, member="Ann", team="Alpha")
    toy.clock.turn(days=days)
    for path in ("/", "/submit"):
        page = re.sub("<[^>]+>", "", ann.get(path).text).replace("\N{NO-BREAK SPACE}", " ")
        assert told in page
    assert ('id="upload"' in ann.get("/submit").text) == takes


def test_after_the_close_nothing_can_be_sent_and_the_board_says_since_when(toy):
    alpha = play(toy, ("Alpha",))["Alpha"]
    assert "Open until the organizer closes it." in alpha.get("/").text
    toy.reader(toy.organizer).post("/desk/close", sure="true")
    assert 'closed on <time datetime="2026-03-01T12:02:00+00:00">' in alpha.get("/").text
    assert 'id="upload"' not in alpha.get("/submit").text


def test_pages_say_that_scoring_is_paused(toy):
    alpha = play(toy, ("Alpha",), each=1)["Alpha"]
    told = "Scoring is paused by the organizer."
    assert not any(told in alpha.get(path).text for path in ("/", "/submit", "/submissions"))
    path = toy.folder / "challenge.yaml"
    path.write_text(yaml.safe_dump(yaml.safe_load(path.read_text()) | {"metric": "brier"}))
    alpha.post("/submit", files={"file": ("b.csv", answers_of(0.2, 9).write_csv().encode())})
    assert all(told in alpha.get(path).text for path in ("/", "/submit", "/submissions"))
    assert alpha.get("/submissions").text.count('<span class="state queued">paused</span>') == 1


def test_a_scorecard_leads_back_and_says_whose_file_its_hash_is_of(site):
    toy = site(ladder=True)
    account = toy.team("Alpha")
    toy.submit(account, quality=0.5, seed=1)
    toy.submit(account, quality=0.3, seed=2)
    toy.score_all()
    organizer = toy.reader(toy.organizer)
    card = organizer.get("/submissions/2").text
    links = re.findall('href="([^"]+)"', card)
    assert links == ["/", "/submissions"]
    assert organizer.get(links[1], 303).headers["location"] == "/desk/submissions"
    with toy.database.reading() as session:
        assert f"of submission 1: <code>{session.get(Submission, 1).sha256}<" in card


def test_pages_have_one_heading_of_a_name(site):
    toy = site()
    (toy.folder / "rules.md").write_text("# Rules\n\n# Fairness\n\nBe fair.\n")
    page = Reader(toy.app).get("/rules").text
    assert re.findall(r"<h\d[^>]*>(Rules|Fairness)<", page) == ["Rules", "Fairness"]


def test_rules_say_what_is_accepted_and_what_decides(site):
    rules = Reader(site().app).get("/rules").text
    assert ".csv in UTF-8, .csv.gz or .parquet, at most 100 MB" in rules
    assert rules.count("20 submissions") == 1
    assert not any(word in rules for word in ("clip", "Called fake", "Share of fakes"))


def test_rules_say_the_settings_that_the_metrics_depend_on(site):
    rules = Reader(site(tie_breakers=["recall_at_budget", "log_loss"], budget=0.25).app).get("/rules").text
    shown = dict(re.findall("<dt>([^<]+)</dt><dd>([^<]+)</dd>", rules))
    assert (shown["Share of it that people look at"], shown["Scores are clipped by"]) == ("0.25", "1e-15")
    assert not any("Called fake" in each for each in shown)


def probe(labels, scores, settings):
    """Value of each metric; None where there is none."""
    found = {}
    for metric in METRICS.values():
        try:
            found[metric.name] = metric.value(Sample.of(labels, scores), settings)
        except Undefined:
            found[metric.name] = None
    return found


@pytest.mark.parametrize("setting", SETTINGS)
def test_the_settings_on_which_metrics_depend_are_those(setting):
    labels = np.arange(400) % 2
    scores = np.random.default_rng(3).random(400) * 0.6 + 0.4 * labels
    scores[:4] = [0, 1, 1, 0]
    other = {"threshold": 0.7, "prevalence": 0.3, "budget": 0.2, "clip": 0.45}
    base = {"prevalence": 0.1, "budget": 0.05}
    one, two = (probe(labels, scores, Settings(**base | given)) for given in ({}, {setting: other[setting]}))
    assert {name for name in METRICS if one[name] != two[name]} == SETTINGS[setting][1]


def test_a_strangers_page_and_a_wrong_address_say_what_to_do(toy):
    stranger = Reader(toy.app)
    assert "sign in with an organizer&#39;s token" in stranger.get("/sign-in?next=/desk").text.replace("'", "&#39;")
    assert "for teams" in stranger.get("/sign-in?next=/submit").text
    assert "organizer's token" not in stranger.get("/sign-in").text
    missing = stranger.get("/nothing", 404).text
    assert "There is no page here" in missing
    assert "openapi.json" not in re.search("<main.*</main>", missing, re.DOTALL)[0]


def test_a_refused_form_leads_back(toy):
    desk = toy.reader(toy.organizer)
    body = {"csrf": desk.csrf(), "name": "", "member": "Ann"}
    for came, back in (
        ("http://testserver/desk/teams?x=1", "/desk/teams"), ("http://evil.example/desk", None), (None, None),
        ("http://testserver//evil.example", "/evil.example"),
    ):  # fmt: skip
        headers = {} if came is None else {"Referer": came}
        told = desk.client.post("/desk/teams", data=body, headers=headers)
        assert told.status_code == 422
        assert re.findall('<a href="([^"]+)">Back', told.text) == ([back] if back else [])


def test_a_disqualified_team_cannot_pick(toy):
    alpha = play(toy, ("Alpha",))["Alpha"]
    assert "/pick" in alpha.get("/submissions").text
    toy.reader(toy.organizer).post("/desk/teams/1/disqualify", reason="copied")
    assert "/pick" not in alpha.get("/submissions").text
