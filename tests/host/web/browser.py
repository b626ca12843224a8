"""A real browser, and axe-core in it. What is not installed is said, and the test skipped."""

import os
import shutil
from contextlib import contextmanager
from pathlib import Path

import pytest

#: Faults of these kinds keep somebody from using a page.
GRAVE = ("serious", "critical")
PHONE = {"width": 360, "height": 780}


@contextmanager
def chromium():
    """Chromium while the block runs."""
    playwright = pytest.importorskip("playwright.sync_api", reason="no playwright: pip install playwright")
    program = os.environ.get("UNMASK_CHROMIUM") or shutil.which("chromium")
    if program is None:
        pytest.skip("Chromium is not installed: apt-get install chromium")
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=program)
        try:
            yield browser
        finally:
            browser.close()


def axe_core():
    """The text of axe-core."""
    beside = Path("node_modules", "axe-core", "axe.min.js")
    path = Path(os.environ.get("UNMASK_AXE") or beside)
    if not path.is_file():
        pytest.skip("axe-core is not there: npm install --no-save axe-core, or UNMASK_AXE=.../axe.min.js")
    return path.read_text(encoding="utf-8")


def open_page(browser, complaints, **options):
    """A page in a context of its own; what its console complains of is added to ``complaints``."""
    page = browser.new_context(**{"timezone_id": "Asia/Tokyo", "locale": "en-GB", **options}).new_page()
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    return page


def sign_in(page, url, token):
    page.goto(f"{url}/sign-in")
    page.get_by_label("Token").fill(token)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(lambda address: "sign-in" not in address)
