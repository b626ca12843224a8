"""The whole way of a team and its organizer, in a real browser against the real server."""

import re

import pytest

from tests.challenge.conftest import answers_of
from tests.host.server import serving
from unmask.host.place import open_host
from unmask.host.scoring import claim, compute, finish

from .browser import PHONE, chromium, open_page, sign_in
from .conftest import HOSTILE, equip

GOOD = answers_of(0.5, 1).write_csv()
#: What Chromium's console says of an answer like 422; everything else is a fault of ours.
_ANSWERED = re.compile(r"Failed to load resource: the server responded with a status of (401|403|404|422)")
_DROP = """(text) => {
  const data = new DataTransfer();
  data.items.add(new File([text], "<i>dropped.csv", {type: "text/csv"}));
  const event = new DragEvent("drop", {dataTransfer: data, bubbles: true, cancelable: true});
  document.getElementById("drop").dispatchEvent(event);
}"""


@pytest.fixture(scope="module")
def browser():
    with chromium() as found:
        yield found


@pytest.fixture
def server(folder):
    with serving(equip(folder)) as found:
        yield found


@pytest.fixture
def complaints():
    """What consoles complained of: nothing, when the test is over."""
    said = []
    yield said
    assert [each for each in said if not _ANSWERED.match(each)] == []


def test_the_whole_way(browser, server, complaints, tmp_path):
    for name in ("Beta", "Gamma"):
        token = server.team(name)
        server.submit(token, answers_of(0.2, len(name)).write_csv().encode())
        server.wait(token)
    page = open_page(browser, complaints)

    page.goto(server.url)
    page.get_by_role("link", name="Join").click()
    page.get_by_label("Your name").fill("Ann")
    page.get_by_label("Name of the new team").fill(HOSTILE)
    page.get_by_role("button", name="Join").click()
    token = page.get_by_role("textbox", name="Token").input_value()
    assert token.startswith("um_")
    page.get_by_role("button", name="Copy").click()
    page.get_by_role("button", name="Copied").wait_for()

    page.get_by_role("link", name="Send the first submission").click()
    page.get_by_label("Predictions").set_input_files(
        {"name": "bad.csv", "mimeType": "text/csv", "buffer": b"id,score\nv001,2\n<b>,0.5\n"}
    )
    page.get_by_role("button", name="Send").click()
    report = page.get_by_role("alert")
    report.wait_for()
    assert 'line 2: the score "2" is not between 0 and 1' in report.inner_text()
    assert "<b>" in report.inner_text()
    assert "it cost no submission" in report.inner_text()
    assert page.evaluate("document.activeElement.id") == "refusal"
    assert "20 of 20 submissions" in page.locator("#quota").inner_text()
    assert "49 more" in page.locator("#quota").inner_text()
    page.screenshot(path=tmp_path / "refused.png", full_page=True)

    page.evaluate(_DROP, GOOD)
    page.get_by_text("is chosen. Send it.").wait_for()
    page.get_by_role("button", name="Send").click()
    page.wait_for_url("**/submissions")
    page.get_by_text("has arrived: 120 rows, all in order.").wait_for()
    page.evaluate("window.loadedOnce = true")
    page.locator("[data-state=scored]").wait_for(timeout=60_000)
    assert page.evaluate("window.loadedOnce"), "the state was updated without loading the page again"
    shown = server.submissions(token)[0]
    row = page.get_by_role("row", name="dropped")
    assert f"{shown['public_score']:.4f}" in row.inner_text()
    assert "<i>dropped.csv" in row.inner_text()

    page.get_by_role("button", name="Pick").click()
    page.get_by_text("is a final pick now").wait_for()
    assert server.submissions(token)[0]["picked"]
    page.screenshot(path=tmp_path / "submissions.png", full_page=True)
    page.get_by_role("link", name="scorecard").click()
    page.get_by_role("heading", name="Metrics").wait_for()
    page.screenshot(path=tmp_path / "card.png", full_page=True)

    desk = open_page(browser, complaints)
    sign_in(desk, server.url, server.organizer)
    desk.get_by_role("link", name="Close the challenge").click()
    desk.get_by_role("button", name="Close the challenge").click()
    assert desk.url.endswith("/desk/close"), "the box must be ticked first"
    assert server.client.get("/api/challenge").json()["closed"] is False
    desk.get_by_label("I am sure").check()
    desk.get_by_role("button", name="Close the challenge").click()
    desk.get_by_text("The challenge is closed").wait_for()
    desk.goto(f"{server.url}/desk")
    desk.screenshot(path=tmp_path / "desk.png", full_page=True)

    page.goto(server.url)
    told = server.client.get("/api/board", params={"part": "private"}).json()["entries"]
    rows = page.locator("table.board tbody tr")
    assert [rows.nth(number).locator("b").first.inner_text() for number in range(3)] == [
        f"{each['score']:.4f}" for each in told
    ]
    assert page.get_by_role("row", name="your team").count() == 1
    page.get_by_role("heading", name="From public to private").scroll_into_view_if_needed()
    page.wait_for_function("[...document.images].every((image) => image.complete && image.naturalWidth > 100)")
    page.screenshot(path=tmp_path / "board.png", full_page=True)


def test_without_scripts(browser, server, complaints):
    page = open_page(browser, complaints, java_script_enabled=False)
    page.goto(f"{server.url}/join")
    page.get_by_label("Your name").fill("Ann")
    page.get_by_label("Name of the new team").fill("Alpha")
    page.get_by_role("button", name="Join").click()
    token = page.get_by_role("textbox", name="Token").input_value()
    page.goto(f"{server.url}/submit")
    for text, awaited in (("id,score\n", "The file has"), (GOOD, "has arrived")):
        page.get_by_label("Predictions").set_input_files(
            {"name": "answers.csv", "mimeType": "text/csv", "buffer": text.encode()}
        )
        page.get_by_role("button", name="Send").click()
        page.get_by_text(awaited).wait_for()
    server.wait(token)
    page.reload()
    page.get_by_role("button", name="Pick").click()
    page.get_by_role("button", name="Take back").click()
    assert not server.submissions(token)[0]["picked"]
    page.get_by_role("button", name="Sign out").click()
    page.get_by_text("You are signed out, in every browser").wait_for()


def test_the_keyboard_and_the_readers_time(browser, server, complaints):
    token = server.team()
    page = open_page(browser, complaints)
    page.goto(server.url)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "To the content"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    sign_in(page, server.url, token)
    page.goto(f"{server.url}/submit")
    time = page.locator("#quota time").first
    assert re.fullmatch(r"\d+ \w+ 20\d\d, 09:00 GMT\+9", time.inner_text().replace("\N{NO-BREAK SPACE}", " "))
    assert re.search("0?0:00 UTC$", time.get_attribute("title"))
    page.get_by_label("Predictions").focus()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Send"
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"


def test_an_invitation_fills_itself_in(browser, server, complaints):
    page = open_page(browser, complaints)
    page.goto(f"{server.url}/join#join_code-1")
    assert page.get_by_label("Invitation").input_value() == "join_code-1"
    assert page.url == f"{server.url}/join"


def score(folder, number):
    """As a worker does it, in this process."""
    host = open_host(folder)
    held = claim(host.database, host.challenge.definition, number, host.now())
    assert finish(host.database, held, compute(host.challenge, host.files, held.stored), host.now())
    host.database.close()


def test_what_the_ladder_holds_back_is_told_as_such(browser, folder, complaints):
    with serving(equip(folder, ladder=True), workers=0) as server:
        page = open_page(browser, complaints)
        sign_in(page, server.url, server.team())
        for number, quality, told in (
            (1, 0.5, r"^Submission 1 is scored: [\d.]+\.$"),
            (2, 0.2, r"^Submission 2 is scored, and not better .* your score stays [\d.]+, that of submission 1\.$"),
        ):
            page.goto(f"{server.url}/submit")
            data = answers_of(quality, 1).write_csv().encode()
            page.get_by_label("Predictions").set_input_files({"name": "a.csv", "mimeType": "text/csv", "buffer": data})
            page.get_by_role("button", name="Send").click()
            page.get_by_text("has arrived").wait_for()
            score(folder, number)
            page.locator("#told", has_text=re.compile(told)).wait_for()


def test_a_revoked_token_needs_two_clicks(browser, server, complaints):
    server.team()
    page = open_page(browser, complaints, java_script_enabled=False)
    sign_in(page, server.url, server.organizer)
    page.goto(f"{server.url}/desk/teams")
    row = page.get_by_role("row", name="Alpha")
    assert row.get_by_role("button").count() == 0
    row.locator("summary", has_text="Revoke").click()
    row.get_by_role("button", name="Revoke it for good").click()
    page.get_by_text("is revoked.").wait_for()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_on_a_phone(browser, server, complaints, scheme, tmp_path):
    longest = "W" * 60
    token = server.team(longest)
    server.submit(token, GOOD.encode(), name=f"{'x' * 150}.csv")
    server.wait(token)
    desk = open_page(browser, complaints, viewport=PHONE, color_scheme=scheme)
    sign_in(desk, server.url, server.organizer)
    page = open_page(browser, complaints, viewport=PHONE, color_scheme=scheme)
    sign_in(page, server.url, token)
    mine = ["/", "/overview", "/rules", "/data", "/prizes", "/submit", "/submissions", "/submissions/1", "/sign-in"]
    theirs = ["/desk", "/desk/teams", "/desk/submissions", "/desk/look-alikes", "/desk/audit", "/desk/close"]
    for who, paths in ((page, mine), (desk, theirs)):
        for path in paths:
            who.goto(server.url + path)
            name = path.strip("/").replace("/", "-") or "board"
            who.screenshot(path=tmp_path / f"{name}-{scheme}.png", full_page=True)
            assert who.evaluate("document.documentElement.scrollWidth") <= PHONE["width"], path
    page.goto(server.url)
    paper = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (sum(map(int, re.findall(r"\d+", paper)[:3])) < 200) == (scheme == "dark")
