"""The page of a comparison: whole without a network, harmless, and readable with few systems and with many."""

import subprocess
import sys

import numpy as np
import polars as pl
import pytest

from tests.scoring.test_page import EVIL, Page
from unmask.scoring import compare
from unmask.scoring.comparison.matrix import matrix, told_p
from unmask.scoring.comparison.page import MOST, render


def comparison(names, rows=120, metric="roc_auc", step=0.02, replicates=60, **changes):
    labels = np.arange(rows) % 2
    random = np.random.default_rng(0)
    ids = [f"v{i}" for i in range(rows)]
    key = pl.DataFrame({"id": ids, "label": labels})
    frames = {
        name: pl.DataFrame({"id": ids, "score": np.clip(step * number * labels + 0.6 * random.random(rows), 0, 1)})
        for number, name in enumerate(names)
    }
    return compare(key, frames | changes, metric=metric, replicates=replicates)


def words(text):
    return " ".join("".join(Page(text).words).split())


@pytest.mark.parametrize("count", [2, 3, 12, MOST + 3])
def test_self_contained_and_harmless(count):
    names = [EVIL, *(f"system {number}" for number in range(1, count))]
    text = render(comparison(names))
    found = Page(text)
    assert not {"script", "img", "link", "iframe", "object"} & set(found.tags)
    assert not [name for name, _ in found.attributes if name.startswith("on") or name in ("src", "href", "action")]
    assert "http" not in text
    assert "url(" not in text
    assert EVIL in "".join(found.words)
    assert found.tags.count("svg") == 1
    rows = min(count, MOST)
    shaded = [value for name, value in found.attributes if name == "class" and value and value.startswith("shade-")]
    assert len(shaded) == rows * (rows - 1) // 2
    assert f"{count} systems on 120 files" in words(text)


def test_the_headline_says_whether_the_first_is_ahead():
    assert "system 2 is ahead of all others" in words(
        render(comparison(["system 0", "system 1", "system 2"], step=0.2))
    )
    close = words(render(comparison(["a", "b"], step=0.001)))
    assert "leads, but cannot be told apart from any other" in close
    frames = dict.fromkeys(("one", "two"), pl.DataFrame({"id": ["x", "y"], "score": [0.1, 0.9]}))
    key = pl.DataFrame({"id": ["x", "y"], "label": [0, 1]})
    alone = words(render(compare(key, frames)))
    assert "2 systems share the first place" in alone
    assert "nothing can be drawn anew" in alone


def test_a_system_without_a_value_is_shown_with_the_reason():
    timid = pl.DataFrame({"id": [f"v{i}" for i in range(120)], "score": [0.1] * 120})
    found = comparison(["a", "b"], metric="precision_at_prevalence", step=0.5, timid=timid)
    text = words(render(found))
    assert "timidnothing is called fake at the threshold" in text


def test_the_matrix_tells_what_the_comparison_does():
    found = comparison([f"s{number}" for number in range(9)], replicates=1500)
    shown = matrix(found, 8)
    assert shown.names == [system.name for system in found.systems[:8]]
    assert shown.unit is None
    for i, cells in enumerate(shown.rows):
        for j, cell in enumerate(cells, start=i + 1):
            value, p = found.differences.value[i, j], found.differences.p[i, j]
            assert float(cell.text) == pytest.approx(value, abs=0.0005)
            assert cell.p == told_p(p)
            assert cell.shade == np.count_nonzero([p <= 0.05, p <= 0.01, p <= 0.001])
            assert f"{shown.names[i]} less {shown.names[j]}: {value:+.4f}" in cell.told
    assert {cell.shade for cells in shown.rows for cell in cells} == {0, 1, 2, 3}


@pytest.mark.parametrize("metric", ["roc_auc", "fpr_per_million", "log_loss"])
def test_many_systems_have_whole_numbers_of_a_unit(metric):
    found = comparison([f"s{number}" for number in range(15)], metric=metric, step=0.05)
    shown = matrix(found, MOST)
    texts = [int(cell.text) for cells in shown.rows for cell in cells]
    assert 100 <= max(texts) <= 1000
    assert texts[0] == pytest.approx(abs(found.differences.value[0, 1]) / shown.unit, abs=0.501)


def test_many_systems_that_are_all_the_same():
    frame = pl.DataFrame({"id": ["a", "b", "c", "d"], "score": [0.1, 0.9, 0.3, 0.2]})
    key = pl.DataFrame({"id": ["a", "b", "c", "d"], "label": [0, 1, 0, 1]})
    found = compare(key, {f"s{number}": frame for number in range(14)}, replicates=20)
    assert {cell.text for cells in matrix(found, MOST).rows for cell in cells} == {"0"}
    assert "14 systems share the first place" in words(render(found))


def test_the_same_comparison_gives_the_same_page():
    assert render(comparison(["a", "b", "c"])) == render(comparison(["a", "b", "c"]))


def test_no_heavy_import():
    code = (
        "import sys, unmask.scoring.comparison.page, unmask.scoring.comparison.report\n"
        "heavy = {'torch', 'pandas', 'sklearn', 'matplotlib', 'scipy'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
