"""Who may ask for what: signing in, joining, and proof that our own page asks."""

import pytest

from unmask.host.web.pages import account, board, charts, desk, export, members, submissions, submit, texts, watching

from .conftest import HOSTILE, Reader, secret_in

PARTS = (account, board, charts, desk, export, members, submissions, submit, texts, watching)
ROUTES = [(method, route.path) for part in PARTS for route in part.router.routes for method in route.methods]
CHANGING = sorted(path for method, path in ROUTES if method == "POST")
OF_DESK = sorted(path for method, path in ROUTES if method == "GET" and path.startswith("/desk"))
FIELDS = {
    "reason": "why", "name": "New", "member": "Ann", "team": "0", "sure": "true", "picked": "true", "token": "um_x",
}  # fmt: skip


def test_there_are_routes_to_look_at():
    assert {"/submit", "/sign-out", "/desk/close", "/submissions/{number}/pick"} <= set(CHANGING)
    assert {method for method, _ in ROUTES} <= {"GET", "HEAD", "POST"}


@pytest.mark.parametrize("path", CHANGING)
@pytest.mark.parametrize("proof", ["", "another", "é"])
def test_nothing_changes_without_proof(toy, path, proof):
    reader = toy.reader(toy.organizer)
    with toy.database.reading() as session:
        before = session.connection().exec_driver_sql("SELECT max(id) FROM events").scalar()
    told = reader.client.post(path.replace("{number}", "1"), data=FIELDS | {"csrf": proof})
    assert told.status_code == 403, told.text
    assert "did not ask for the change" in told.text
    with toy.database.reading() as session:
        assert session.connection().exec_driver_sql("SELECT max(id) FROM events").scalar() == before
    assert reader.get("/desk").status_code == 200, "still signed in"


def test_another_sessions_proof_is_none(toy):
    one, other = toy.reader(toy.organizer), toy.reader(toy.organizer)
    told = one.client.post("/desk/rescore", data={"csrf": other.csrf(), "reason": "x"})
    assert told.status_code == 403


def test_the_api_wants_proof_of_a_browser_and_none_of_a_token(toy):
    reader = toy.reader(toy.organizer)
    given = {"name": "Alpha", "member": "Ann"}
    assert reader.client.get("/api/me").json()["role"] == "organizer"
    refused = reader.client.post("/api/teams", json=given)
    assert (refused.status_code, refused.json()["error"]["code"]) == (403, "csrf")
    assert reader.client.post("/api/teams", json=given, headers={"X-CSRF-Token": "x"}).status_code == 403
    proven = reader.client.post("/api/teams", json=given, headers={"X-CSRF-Token": reader.csrf()})
    assert proven.status_code == 201
    bearer = {"Authorization": f"Bearer {toy.organizer}"}
    plain = Reader(toy.app).client.post("/api/teams", json={"name": "Beta", "member": "Bo"}, headers=bearer)
    assert plain.status_code == 201
    assert reader.client.delete("/api/tokens/1").status_code == 403


def test_proof_is_drawn_anew_at_sign_in(toy):
    reader = Reader(toy.app)
    before = reader.csrf()
    reader.sign_in(toy.organizer)
    assert reader.csrf() != before


@pytest.mark.parametrize("path", OF_DESK)
def test_the_desk_is_the_organizers(toy, path):
    assert Reader(toy.app).get(path, 303).headers["location"].startswith("/sign-in?next=/desk")
    joined = Reader(toy.app)
    joined.post("/join", 201, member="Ann", team="Alpha")
    assert "the organizer&#39;s" in joined.get(path, 403).text
    toy.reader(toy.organizer).get(path)


def test_a_token_is_shown_once_and_signs_in(toy):
    ann = Reader(toy.app)
    welcome = ann.post("/join", 201, member="Ann", team="Alpha")
    token = secret_in(welcome)
    assert welcome.headers["cache-control"] == "no-store"
    assert "unmask submit predictions.csv --server http://testserver<" in welcome.text
    assert token not in ann.get("/submissions").text
    assert "Submissions of Alpha" in toy.reader(token).get("/submissions").text
    wrong = Reader(toy.app).post("/sign-in", 401, token=token[:-1])
    assert token[:-1] not in wrong.text


def test_a_revoked_token_signs_out(toy):
    joined = Reader(toy.app)
    joined.post("/join", 201, member="Ann", team="Alpha")
    organizer = toy.reader(toy.organizer)
    organizer.post("/desk/tokens/2/revoke")
    joined.get("/submissions", 303)


def test_a_copied_cookie_is_signed_out_too(toy):
    reader, thief, other = toy.reader(toy.organizer), Reader(toy.app), toy.reader()
    thief.client.cookies.update(reader.client.cookies)
    other.sign_in(toy.organizer)
    thief.get("/desk")
    reader.post("/sign-out")
    for each in (thief, reader, other):
        each.get("/desk", 303)
    reader.sign_in(toy.organizer).get("/desk")


def test_an_invitation_works_once(site):
    toy = site(registration="invitation")
    assert "by invitation" in Reader(toy.app).post("/join", 403, member="Ann", team="Alpha").text
    link = secret_in(toy.reader(toy.organizer).post("/desk/invitations", 201, team="0"))
    path, code = link.rsplit("#", 1)
    assert path.endswith("/join")
    Reader(toy.app).post("/join", 201, member="Ann", team="Alpha", invitation=f" {link}\n")
    assert "used" in Reader(toy.app).post("/join", 403, member="Bo", team="Beta", invitation=code).text
    into = secret_in(toy.reader(toy.organizer).post("/desk/invitations", 201, team="1")).rsplit("#", 1)[1]
    assert "Submissions of Alpha" in toy.reader(
        secret_in(Reader(toy.app).post("/join", 201, member="Bo", invitation=into))
    ).get("/submissions").text  # fmt: skip


def test_a_revoked_invitation_opens_nothing(site):
    toy = site(registration="invitation")
    desk = toy.reader(toy.organizer)
    revoked, kept = (secret_in(desk.post("/desk/invitations", 201, team="0")).rsplit("#", 1)[1] for _ in range(2))
    assert [each["id"] for each in toy.api("GET", "/api/invitations")] == [1, 2]
    desk.post("/desk/invitations/1/revoke")
    assert "Invitation 1 is revoked" in (page := desk.get("/desk/teams").text)
    assert "/desk/invitations/2/revoke" in page
    assert "/desk/invitations/1/revoke" not in page
    assert "revoked" in Reader(toy.app).post("/join", 403, member="Ann", team="Alpha", invitation=revoked).text
    Reader(toy.app).post("/join", 201, member="Ann", team="Alpha", invitation=kept)
    assert "has used invitation 2" in desk.post("/desk/invitations/2/revoke", 409).text
    assert toy.api("GET", "/api/invitations") == []
    desk.post("/desk/invitations/3/revoke", 404)
    assert "revoked an invitation" in desk.get("/desk/audit").text


def test_a_page_says_that_a_body_is_too_long(toy):
    told = toy.reader(toy.organizer).post("/submit", 413, files={"file": ("a.csv", bytes(120_000_000))})
    assert "<h1>" in told.text
    assert "more than 100 MB" in told.text
    assert "/desk" in told.text  # still signed in


@pytest.mark.parametrize("goto", ["//evil.example", "/\\evil.example", "https://evil.example", "/a\r\nX: y", "x"])
def test_sign_in_leads_nowhere_else(toy, goto):
    told = Reader(toy.app).post("/sign-in", token=toy.organizer, next=goto)
    assert told.headers["location"] == "/desk"
    assert "x" not in told.headers


def test_sign_in_leads_back(toy):
    reader = Reader(toy.app)
    asked = reader.get("/desk/audit", 303).headers["location"]
    assert 'value="/desk/audit"' in reader.get(asked).text
    assert reader.post("/sign-in", token=toy.organizer, next="/desk/audit").headers["location"] == "/desk/audit"


def test_browsers_get_pages_and_programs_json(toy):
    page = Reader(toy.app).get("/nothing", 404)
    assert "<h1>" in page.text
    assert toy.reader().client.get("/nothing", headers={"Accept": "*/*"}).json()["error"]["code"] == "not_found"
    assert toy.reader().client.get("/api/nothing").json()["error"]["code"] == "not_found"
    for found in (page, Reader(toy.app).get("/")):
        policy = found.headers["content-security-policy"]
        assert "unsafe" not in policy
        assert "default-src 'none'" in policy
        assert not any(each in found.text for each in (" style=", "<style", " onclick", "http://", "https://"))


def test_names_and_pages_are_text(toy):
    ann = Reader(toy.app)
    ann.post("/join", 201, member="<i>Ann</i>", team=HOSTILE)
    data = toy.host.challenge.folder.joinpath("sample_submission.csv").read_bytes()
    ann.post("/submit", files={"file": ("<img src=x>.csv", data)})
    toy.queued.append(1)
    toy.score_all()
    organizer = toy.reader(toy.organizer)
    organizer.post("/desk/teams/1/disqualify", reason="<u>why</u>")
    organizer.post("/desk/teams/1/reinstate", reason="<u>why</u>")
    pages = [ann.get(path).text for path in ("/", "/submissions", "/submissions/1", "/submit", "/overview")]
    pages += [organizer.get(path).text for path in (*OF_DESK, "/?part=private") if not path.endswith(".zip")]
    for page in pages:
        for tag in ("<b>Bold", "<i>Ann", "<img src=x", "<u>why", "<script>", 'href="javascript'):
            assert tag not in page
    assert sum("&lt;b&gt;Bold&lt;/b&gt; &amp; &#34;Co&#34;" in page for page in pages) >= 5
    assert "&lt;img src=x&gt;.csv" in pages[1]
    assert "&lt;script&gt;" in pages[4]
