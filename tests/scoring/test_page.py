"""The page: whole without a network, harmless whatever stands in the tables, and clear about what matters."""

from html.parser import HTMLParser

import numpy as np
import polars as pl
import pytest

from unmask.scoring import score
from unmask.scoring.page import render

EVIL = "<img src=x onerror=alert(1)>'\"&{{7*7}}"


def tables(quality=0.5, rows=120):
    labels = np.arange(rows) % 2
    noise = np.random.default_rng(0).random(rows)
    ids = [f"v{i}" for i in range(rows)]
    method = [EVIL if label else None for label in labels]
    key = pl.DataFrame({"id": ids, "label": labels, "method": method, EVIL: ["a", "b", "a", "a"] * (rows // 4)})
    return key, pl.DataFrame({"id": ids, "score": quality * labels + (1 - quality) * noise})


class Page(HTMLParser):
    """Tags, attributes and text of a page; fails where a tag is closed that is not open."""

    VOID = frozenset({"meta", "br", "img", "link", "input", "col", "hr"})

    def __init__(self, text):
        super().__init__()
        self.open, self.tags, self.attributes, self.words = [], [], [], []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words.append(data)


def page(quality=0.5, rows=120, **changes):
    key, predictions = tables(quality, rows)
    return render(score(predictions.with_columns(**changes), key, replicates=50), name=EVIL)


def test_self_contained_and_harmless():
    text = page()
    found = Page(text)
    assert not {"script", "img", "link", "iframe", "object"} & set(found.tags)
    assert not [name for name, _ in found.attributes if name.startswith("on") or name in ("src", "href", "action")]
    assert "http" not in text
    assert "url(" not in text
    assert EVIL in "".join(found.words)
    assert found.tags.count("svg") == 6


@pytest.mark.parametrize(("quality", "told"), [(0.9, "Excellent"), (0.0, "Not shown to beat guessing"), (0.2, "Weak")])
def test_headline_says_whether_it_is_any_good(quality, told):
    assert told in page(quality, rows=480)


def verdict(people, sources, quality=0.8, rows=480):
    """The words of a page whose test set shows so many people, in clips of so many sources each class."""
    key, predictions = tables(quality, rows)
    turn = pl.int_range(rows) // 2
    frame = key.select("id", "label", subject_id="p" + (turn % people).cast(pl.String),
                       source_id="s" + (turn % sources).cast(pl.String))  # fmt: skip
    return " ".join("".join(Page(render(score(predictions, frame, replicates=200), name="x")).words).split())


def test_no_word_for_an_easily_fooled_set_of_one_person():
    text = verdict(people=1, sources=60)
    assert "Rests on 60 sources, which show 1 person" in text
    assert "fewer than 10 people or clusters (1)" in text
    assert "Excellent" not in text
    assert "The intervals are over 60 sources, which show 1 person." in text


@pytest.mark.parametrize(("people", "given"), [(9, False), (10, True), (60, True)])
def test_ten_people_of_each_class_are_enough_for_a_word(people, given):
    text = verdict(people, sources=60)
    assert ("Excellent" in text) == given
    assert ("No verdict" in text) != given


def test_no_word_for_a_wide_interval():
    text = page(0.2, rows=80)
    assert "Rests on 80 files" in text
    assert "the interval is wider than 0.2" in text
    assert "Weak" not in text


def test_turned_scores_are_told():
    text = page(0.9, score=1 - pl.col("score"))
    assert "Worse than guessing" in text
    assert "1 must mean fake" in text


def test_missing_answers_are_loud():
    gone = pl.col("id") == "v7"
    text = page(0.5, score=pl.when(gone).then(None).otherwise("score"), reason=pl.when(gone).then(pl.lit(EVIL)))
    Page(text)
    assert "Only 99.1 % of the ids have an answer" in text
    assert "have an answer</strong>" not in page()


def test_nothing_answered_and_one_class_still_make_a_page():
    key, predictions = tables()
    silent = predictions.with_columns(score=pl.lit(None, dtype=pl.Float64), reason=pl.lit("crashed"))
    assert "Cannot be told" in render(score(silent, key, replicates=5), name="x")
    fakes = key.filter(pl.col("label") == 1)
    kept = predictions.filter(pl.col("id").is_in(fakes["id"].to_list()))
    text = render(score(kept, fakes, replicates=5), name="x")
    assert "there is no real among the scored rows" in text
    Page(text)


def test_the_same_scorecard_gives_the_same_page():
    assert page() == page()
