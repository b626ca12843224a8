"""axe-core finds nothing that keeps somebody from using a page."""

import pytest

from tests.challenge.conftest import answers_of
from tests.host.server import serving

from .browser import GRAVE, axe_core, chromium, open_page, sign_in
from .conftest import equip

ANYBODY = ["/", "/overview", "/rules", "/data", "/prizes", "/sign-in", "/join", "/nothing", "/?part=public&scoring=1"]
TEAM = ["/", "/submit", "/submissions", "/submissions/1"]
DESK = [
    "/desk", "/desk/teams", "/desk/submissions", "/desk/look-alikes", "/desk/audit", "/desk/close", "/?part=private",
]  # fmt: skip


@pytest.fixture(scope="module")
def axe():
    return axe_core()


@pytest.fixture(scope="module")
def browser():
    with chromium() as found:
        yield found


@pytest.fixture(scope="module")
def server(made, tmp_path_factory):
    import shutil

    with serving(equip(shutil.copytree(made, tmp_path_factory.mktemp("seen") / "toy"))) as server:
        server.token = server.team("Alpha")
        data = answers_of(0.3, 1).write_csv().encode()
        for token in (server.token, server.team("Beta")):
            server.submit(token, data)
            server.submit(token, b"id,score\n")
            server.wait(token)
        yield server


def faults(page, axe):
    found = page.evaluate(f"{axe}; axe.run()")["violations"]
    return [(each["id"], each["nodes"][0]["target"]) for each in found if each["impact"] in GRAVE]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("who", "paths"), [(None, ANYBODY), ("token", TEAM), ("organizer", DESK)])
def test_nothing_grave(browser, server, axe, scheme, who, paths):
    page = open_page(browser, [], color_scheme=scheme, bypass_csp=True)
    if who:
        sign_in(page, server.url, getattr(server, who))
    for path in paths:
        page.goto(server.url + path)
        assert faults(page, axe) == [], path


def test_reports_and_secrets(browser, server, axe):
    page = open_page(browser, [], bypass_csp=True)
    sign_in(page, server.url, server.token)
    page.goto(f"{server.url}/submit")
    page.get_by_label("Predictions").set_input_files({"name": "a.csv", "mimeType": "text/csv", "buffer": b"id,score\n"})
    page.get_by_role("button", name="Send").click()
    page.get_by_role("alert").wait_for()
    assert faults(page, axe) == []
    page = open_page(browser, [], bypass_csp=True)
    sign_in(page, server.url, server.organizer)
    page.goto(f"{server.url}/desk/teams")
    page.get_by_role("button", name="Make the invitation").click()
    page.get_by_role("heading", name="Shown this once").wait_for()
    assert faults(page, axe) == []


def test_a_fault_would_be_found(browser, axe):
    page = open_page(browser, [])
    page.set_content("<html><body><img src=x><input></body></html>")
    assert {name for name, _ in faults(page, axe)} >= {"image-alt", "label"}
