"""The page of a store: whole without a network, harmless whatever stands in the tables, with pictures to look at."""

from __future__ import annotations

import io
import re
from base64 import b64decode
from html.parser import HTMLParser

import numpy as np
import polars as pl
import pytest
from PIL import Image

from tests.fakes.stores import coloured, crop, make_store, without
from unmask.faces.page import flat, render
from unmask.faces.stats import measure

EVIL = "<img src=x onerror=alert(1)>'\"&{{7*7}}</b>"


class Page(HTMLParser):
    """Tags, attributes, text and embedded pictures of a page; fails where a tag is closed that is not open."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.words = ""
        self.feed(text)
        assert self.open == []
        self.words = " ".join(self.words.split())

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in {"meta", "br", "img", "col"}:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words += f" {data}"

    def pictures(self):
        found = [value for name, value in self.attributes if name == "src"]
        assert all(value.startswith("data:image/jpeg;base64,") for value in found)
        return [Image.open(io.BytesIO(b64decode(value.partition(",")[2]))) for value in found]


def page(store, manifest=None, words=None):
    text = render(measure(store, manifest), store, words=words or {})
    return text, Page(text)


@pytest.fixture
def evil(tmp_path):
    """Whatever a stranger can write into a store and a manifest."""
    store = make_store(
        tmp_path / EVIL.replace("/", ""),
        [crop(EVIL), crop(EVIL, 3, 1), without("x", EVIL), crop("b", image=b"no JPEG")],
    )
    manifest = pl.DataFrame({"id": [EVIL, "x"], "label": [0, 1], "split": EVIL, "method": EVIL, "media": "video"})
    return page(store, manifest, {EVIL: EVIL})


def test_self_contained_and_harmless(evil):
    text, found = evil
    assert not {"script", "link", "iframe", "object", "base", "form"} & set(found.tags)
    assert not [name for name, _ in found.attributes if name.startswith("on") or name in ("href", "action", "srcset")]
    assert [name for name, _ in found.attributes if not re.fullmatch("[a-z][a-z0-9:-]*", name)] == []
    assert "http" not in text
    assert "url(" not in text
    assert found.words.count(EVIL) >= 6
    assert found.tags.count("svg") == 2
    assert len(found.pictures()) == 4  # two of each kind; of the third crop there is a tile that says why not
    assert found.words.count("the crop is damaged") == 2


def test_the_pictures_are_the_crops(tmp_path):
    colours = [(250, 30, 30), (30, 200, 30), (30, 30, 250)]
    cells = [(0.5, 90), (0.9, 10), (0.7, 50)]
    rows = [
        crop("x", number, image=coloured(colour), confidence=sure, face=face)
        for number, (colour, (sure, face)) in enumerate(zip(colours, cells, strict=True))
    ]
    _, found = page(make_store(tmp_path, rows))
    seen = [np.asarray(picture).mean((0, 1)) for picture in found.pictures()]
    wanted = [colours[place] for place in (0, 2, 1, 1, 2, 0)]
    np.testing.assert_allclose(seen, wanted, atol=4)


def test_the_numbers_are_told(tmp_path):
    rows = [crop(f"f{number}", frame, face=face) for number in range(30) for frame, face in ((0, 40), (9, 60))]
    bare = [*(without(f"n{number}") for number in range(9)), without("u", "unreadable")]
    text, found = page(make_store(tmp_path / "name", rows, bare), words={"no_face": "nobody was seen"})
    assert "75.0 % of the files have a face" in found.words
    assert "60 crops of 30 files" in found.words
    assert "10 of 40 files have none: no_face 9, unreadable 1." in found.words
    assert "no crop: no_face nobody was seen" in found.words
    assert "30 crops (50.0 %) were enlarged: their face has fewer than 51 pixels." in found.words
    assert "crop.margin 1.25 " in found.words
    assert "track 0" not in found.words.lower()
    assert "Files without a face, worst first" not in text


def test_several_tracks_are_told_apart(tmp_path):
    text, found = page(make_store(tmp_path, [crop("a", 0), crop("a", 0, 1), crop("b", 0)]))
    assert "Track 0 is “the” face" in found.words
    assert "track 0, the face" in found.words
    assert found.words.count("1 track") >= 1
    assert "2 tracks" in found.words
    assert 'class="others"' in text


@pytest.mark.parametrize("shards", [[], [without("a"), without("b", None)]])
def test_a_store_without_a_crop_has_a_page(shards, tmp_path):
    _, found = page(make_store(tmp_path, shards))
    assert found.pictures() == []
    assert "svg" not in found.tags
    assert ("The store holds no file." in found.words) == (not shards)


def test_what_the_manifest_adds(tmp_path):
    bare = [without(f"fake{number}") for number in range(20)]
    store = make_store(tmp_path, bare, [crop(f"real{number}") for number in range(20)])
    names = [f"{kind}{number}" for kind in ("fake", "real") for number in range(21)]
    labels = [int(name.startswith("fake")) for name in names]
    manifest = pl.DataFrame({"id": names, "label": labels, "split": "test", "media": "image"})
    _, found = page(store, manifest)
    assert "Files without a face, worst first" in found.words
    assert "100.0 % of the fakes and 0.0 % of the reals have no face" in found.words
    assert "2 of the manifest's 42 files are not in the store" in found.words
    _, calm = page(store, manifest.filter(pl.col("label") == 1).head(20))
    assert "of the fakes and" not in calm.words
    assert "are not in the store" not in calm.words
    assert "20 files of the store are not in the manifest" in calm.words


def test_the_same_store_gives_the_same_page(tmp_path):
    store = make_store(tmp_path, [crop(name, frame) for name in "abc" for frame in range(3)])
    assert page(store)[0] == page(store)[0]


def test_settings_are_shown_whatever_they_are():
    told = dict(flat({"format": 2, "crop": {"size": 64, "later": {"a": None}}, "sampling": "even"}))
    assert told == {"format": 2, "crop.size": 64, "crop.later.a": None, "sampling": "even"}
