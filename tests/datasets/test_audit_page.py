"""``audit.html``."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from tests.datasets.test_audit_alike import encode_again
from tests.datasets.test_audit_files import write_rows
from tests.fakes.media import make_clip, make_picture
from unmask.datasets.audit import audit
from unmask.datasets.audit.page import render, thumbnail
from unmask.media.image import decode_image

EVIL = "<script>alert('1')</script>&amp;.jpg"


class Elements(HTMLParser):
    """Every element with its attributes, and all text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.text += data


@pytest.fixture(scope="module")
def page(tmp_path_factory) -> str:
    """A video and a picture in two splits, a damaged file with a hostile name, and a feature that tells the label."""
    root = tmp_path_factory.mktemp("page") / "data"
    rows = []
    for number in range(24):
        make_picture(root / f"{number + 10}.jpg", seed=number, quality=(50, 95)[number % 2])
        rows.append((f"{number + 10}.jpg", "image", number % 2, ("train", "test")[number % 3 == 0]))
    make_clip(root / "train.mp4", seed="one", width=128, height=96)
    encode_again(root / "train.mp4", root / "test.mp4", crf=20)
    for split in ("train", "test"):
        make_picture(root / f"{split}.jpg", seed="two", quality=60 + len(split))
        rows += [(f"{split}.mp4", "video", 0, split), (f"{split}.jpg", "image", 0, split)]
    evil = EVIL.replace("/", "_")
    (root / evil).write_bytes(b"hello")
    rows.append((evil, "image", 1, "train"))
    return render(audit([write_rows(root, *rows)], workers=1), workers=1)


def test_it_needs_no_network_and_runs_nothing(page):
    elements = Elements(page).found
    assert {tag for tag, _ in elements}.isdisjoint({"script", "link", "iframe", "object", "base"})
    addresses = [value for _, attrs in elements for key, value in attrs.items() if key in ("src", "href")]
    assert addresses
    assert all(address.startswith("data:image/jpeg;base64,") for address in addresses)
    assert "url(" not in page
    assert "@import" not in page


def test_names_of_files_are_escaped(page):
    assert "<script>" not in page
    assert EVIL.replace("/", "_") in Elements(page).text


def test_what_it_says(page):
    text = " ".join(Elements(page).text.split())
    assert "Do not trust a number on this data yet" in text
    for part in ("Files of each split", "Trivial features", "Look-alikes", "2 pairs of those", "Notes", "SHA-256"):
        assert part in text
    assert "1 file is damaged or not what the ending says" in text
    assert "bytes alone tells real from fake in images" in text
    assert "Next: encode both classes again" in text
    assert "first frame of train.mp4" in text


def test_pairs_are_shown_side_by_side(page):
    pictures = re.findall(r"data:image/jpeg;base64,([^\"]+)", page)
    assert len(pictures) == 4
    assert page.count('class="pair"') == 2


def test_clean_data(tmp_path):
    for name in ("a", "b"):
        make_picture(tmp_path / "data" / f"{name}.jpg")
    path = write_rows(tmp_path / "data", ("a.jpg", "image", 0, "train"), ("b.jpg", "image", 1, "train"))
    text = Elements(render(audit([path], workers=1))).text
    assert "Nothing was found" in text
    assert "Look-alikes" not in text


def test_thumbnails(tmp_path):
    make_picture(tmp_path / "a.jpg", width=640, height=480)
    make_clip(tmp_path / "a.mp4")
    make_picture(tmp_path / "s/0.jpg")
    assert decode_image(thumbnail(str(tmp_path / "a.jpg"), "image", 0)).shape == (180, 240, 3)
    for path in (tmp_path / "a.mp4", tmp_path / "s"):
        assert decode_image(thumbnail(str(path), "video", 2)).shape == (48, 64, 3)
    assert thumbnail(str(Path("/none.jpg")), "image", 0) is None
