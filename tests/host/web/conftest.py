"""A hosted challenge with pages, and a browser without scripts."""

import re

import pytest
import yaml
from starlette.testclient import TestClient

from tests.host.conftest import Place
from unmask.host.web.app import create_app

PAGES = {
    "overview": "# Welcome\n\nFind the **fakes**. <script>alert(1)</script> [no](javascript:alert(1))\n",
    "rules": "# Be fair\n",
    "prizes": "| place | prize |\n|---|---|\n| 1 | fame |\n",
}
LINES = {
    "registration": "open", "ladder": False, "slices": ["method"], "limits": {"daily": 20},
    "pages": {name: f"{name}.md" for name in PAGES},
}  # fmt: skip
HOSTILE = '<b>Bold</b> & "Co"'


def equip(folder, **lines):
    """Give a challenge its pages, and other lines of challenge.yaml."""
    for name, text in PAGES.items():
        (folder / f"{name}.md").write_text(text)
    path = folder / "challenge.yaml"
    path.write_text(yaml.safe_dump(yaml.safe_load(path.read_text()) | LINES | lines))
    return folder


class Reader:
    """Somebody with a browser that runs no scripts."""

    def __init__(self, app):
        self.client = TestClient(app, headers={"Accept": "text/html"}, follow_redirects=False)

    def get(self, path, status=200):
        found = self.client.get(path)
        assert found.status_code == status, found.text
        return found

    def csrf(self, path="/sign-in"):
        return re.search('name="csrf" value="([^"]+)"', self.client.get(path).text)[1]

    def post(self, path, status=303, files=None, **fields):
        found = self.client.post(path, data={"csrf": self.csrf(), **fields}, files=files)
        assert found.status_code == status, found.text
        return found

    def sign_in(self, token):
        self.post("/sign-in", token=token)
        return self


@pytest.fixture
def site(folder):
    """A place, with ``app``, whose challenge.yaml can be made to say more before it opens."""
    sites = []

    def make(**lines):
        place = Place(equip(folder, **lines))
        place.app = create_app(place.host)
        place.folder = folder
        place.reader = lambda token=None: Reader(place.app).sign_in(token) if token else Reader(place.app)
        place.api = lambda method, path, **said: (
            TestClient(place.app, headers={"Authorization": f"Bearer {place.organizer}"}).request(method, path, **said)
        ).json()
        sites.append(place)
        return place

    yield make
    for each in sites:
        each.database.close()


@pytest.fixture
def toy(site):
    return site()


def secret_in(page):
    """The secret that a page shows once."""
    return re.search('id="secret" readonly value="([^"]+)"', page.text)[1]
