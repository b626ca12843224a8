from __future__ import annotations

from statistics import NormalDist

import numpy as np
import polars as pl
import pytest
from scipy.stats import mannwhitneyu

from tests.fakes.media import make_clip, make_picture
from unmask.datasets import index
from unmask.datasets.audit import audit
from unmask.datasets.audit.files import FACTS
from unmask.datasets.audit.trivial import _REMEDIES, NAMES, NUMBERS, ORDER, find_trivial, measure, newcombe, try_all
from unmask.tables.manifest import write_manifest


def looked_at(count: int, **columns: object) -> pl.DataFrame:
    """Rows as ``files.look`` gives them for ``count`` pictures, every second one fake, with some facts given."""
    names = np.random.default_rng(7).permutation(np.arange(10_000, 10_000 + count))
    rows = pl.DataFrame(
        {
            "id": [str(number) for number in range(count)],
            "path": [f"d/{name}.jpg" for name in names],
            "media": ["image"] * count,
            "label": [number % 2 for number in range(count)],
        }
    )
    facts = {name: pl.Series([None] * count, dtype=kind) for name, kind in FACTS.items()}
    return rows.with_columns(**facts).with_columns(**{name: pl.Series(cells) for name, cells in columns.items()})


def found(rows: pl.DataFrame) -> set[str]:
    return set(measure(rows).filter("finding")["feature"])


def test_bigger_fakes_are_found():
    sizes = np.random.default_rng(0).integers(1000, 2000, 200) + 700 * (np.arange(200) % 2)
    rows = looked_at(200, bytes=sizes)
    measured = measure(rows).row(by_predicate=pl.col("feature") == "bytes", named=True)
    labels = np.arange(200) % 2
    expected = mannwhitneyu(sizes[labels == 1], sizes[labels == 0]).statistic / (100 * 100)
    assert measured["auc"] == pytest.approx(expected)
    assert measured["low"] < measured["auc"] < measured["high"]
    assert measured["finding"]
    (finding,) = find_trivial(measure(rows))
    assert finding.kind == "trivial_feature"
    medians = [f"{np.median(sizes[labels == label]):,.0f}" for label in (0, 1)]
    assert finding.where == (f"bytes: {medians[0]} in reals, {medians[1]} in fakes",)
    assert "encode" in finding.next_step


def test_every_feature_has_a_remedy():
    assert set(_REMEDIES) == {*NUMBERS, *NAMES, ORDER}


def test_smaller_fakes_are_found_as_well():
    sizes = np.random.default_rng(0).integers(1000, 2000, 200) - 700 * (np.arange(200) % 2)
    assert found(looked_at(200, bytes=sizes)) == {"bytes"}


def test_random_features_are_seldom_found():
    random = np.random.default_rng(1)
    findings = sum(
        bool(
            found(
                looked_at(
                    60,
                    bytes=random.integers(1000, 2000, 60),
                    width=random.integers(100, 200, 60),
                    height=random.integers(100, 200, 60),
                    codec=random.choice(["JPEG", "PNG", "WEBP"], 60),
                )
            )
        )
        for _ in range(100)
    )
    assert findings <= 8  # at most 5 % are expected; 9 or more of 100 would happen in 6 % of runs at exactly 5 %


def test_a_sure_but_small_difference_is_no_finding():
    sizes = np.random.default_rng(2).normal(1000, 100, 4000) + 30 * (np.arange(4000) % 2)
    row = measure(looked_at(4000, bytes=sizes.round().astype(int))).row(
        by_predicate=pl.col("feature") == "bytes", named=True
    )
    assert row["low"] > 0.5
    assert row["auc"] < 0.65
    assert not row["finding"]


def test_a_handful_of_files_proves_nothing():
    # Three of three apart happens by chance in 2 of 20 orders, five of five in 2 of 252.
    assert found(looked_at(6, bytes=[1, 9, 2, 8, 3, 7])) == set()
    assert found(looked_at(10, bytes=[1, 9, 2, 8, 3, 7, 4, 10, 5, 11])) == {"bytes"}


def test_forgeries_of_one_video_count_once():
    sizes = np.random.default_rng(0).integers(1000, 2000, 200) + 700 * (np.arange(200) % 2)
    four = [f"s{number % 4}" for number in range(200)]
    assert found(looked_at(200, bytes=sizes, source_id=four)) == set()


@pytest.mark.parametrize("share", [1.0, 0.9])
def test_codecs_that_go_with_the_class_are_found(share):
    random = np.random.default_rng(3)
    follows = random.random(200) < share
    codec = ["hevc" if (number % 2) == follow else "h264" for number, follow in enumerate(follows)]
    assert "codec" in found(looked_at(200, codec=codec))


def test_names_that_give_the_class_away_are_found():
    paths = [f"d/{'id1_id2' if number % 2 else 'id1'}_{number // 2:04d}.mp4" for number in range(200)]
    assert found(looked_at(200, path=paths)) >= {"name_pattern", "name_length", "name_digits"}
    where = {finding.where[0] for finding in find_trivial(measure(looked_at(200, path=paths)))}
    assert "name_pattern: 'a0_0' (100%) in reals, 'a0_a0_0' (100%) in fakes" in where


def test_a_name_of_its_own_for_each_file_tells_nothing():
    letters = np.random.default_rng(4).choice(list("abcdefghij"), (200, 10))
    assert found(looked_at(200, path=["d/" + "".join(row) + ".mp4" for row in letters])) == set()


def test_what_follows_from_the_facts():
    rows = looked_at(
        4, bytes=[100, 200, 300, 400], duration_s=[2.0, 1.0, 0.0, None], width=[4, 6, 8, 8], height=[2, 2, 2, 4],
        path=["a.JPG", "b.tar/b.jpg", "v1.0/c", "d.png"],
    )  # fmt: skip
    scores = {each.feature: each.rows["score"].to_list() for each in try_all(rows)}
    assert scores["bit_rate"] == [400, 1600]
    assert scores["pixels"] == [8, 12, 16, 32]
    endings = {
        each.feature: (each.real, each.fake) for each in try_all(rows.with_columns(label=pl.Series([0, 0, 1, 1])))
    }
    assert endings["ending"] == ("'jpg' (100%)", "'' (50%)")


def test_another_name_and_other_clusters_may_be_given():
    shown = [f"{'x' * (1 + number % 2)}" for number in range(200)]
    rows = looked_at(200, name=shown, cluster=[f"c{number // 10}" for number in range(200)])
    tried = {each.feature: each for each in try_all(rows)}
    assert tried["name_length"].rows["score"].to_list() == [1.0, 2.0] * 100
    assert tried["name_length"].rows["cluster"].n_unique() == 20
    assert found(rows) >= {"name_length"}


def test_the_order_of_names_counts_numbers_as_numbers_and_is_asked_for():
    names = ["clip9", "clip10", "Clip2", "a/clip1", "b007", f"b{10**25 + 1}"]
    rows = looked_at(6, path=names)
    assert ORDER not in {each.feature for each in try_all(rows)}
    (tried,) = (each for each in try_all(rows, (*NUMBERS, ORDER)) if each.feature == ORDER)
    listed = [name for _, name in sorted(zip(tried.rows["score"], names, strict=True))]
    assert listed == ["a/clip1", f"b{10**25 + 1}", "b007", "Clip2", "clip9", "clip10"]


def test_unusable_and_unlabelled_files_do_not_count():
    rows = looked_at(
        200, bytes=list(range(200)), fault=["missing"] * 100 + [None] * 100, label=[None] * 50 + [0, 1] * 75
    )
    assert measure(rows).select("n_real", "n_fake").unique().rows() == [(50, 50)]


@pytest.mark.parametrize(("n_real", "n_fake", "auc"), [(30, 30, 0.5), (40, 10, 0.8), (25, 60, 0.65)])
def test_the_interval_covers(n_real, n_fake, auc):
    shift = NormalDist().inv_cdf(auc) * 2**0.5
    random = np.random.default_rng(6)
    covered = 0
    for _ in range(400):
        reals, fakes = random.normal(0, 1, n_real), random.normal(shift, 1, n_fake)
        low, high = newcombe(mannwhitneyu(fakes, reals).statistic / (n_real * n_fake), n_real, n_fake, 1.96)
        covered += low <= auc <= high
    assert 0.92 <= covered / 400 <= 0.99


def test_the_interval_of_a_perfect_feature_has_a_width():
    low, high = newcombe(1.0, 5, 5, 1.96)
    assert 0.5 < low < 0.9
    assert high == pytest.approx(1.0)


def test_from_real_files(tmp_path):
    for person in range(12):
        make_picture(tmp_path / "d" / "real" / f"p{person}" / f"{person}1.jpg", quality=60)
        make_picture(tmp_path / "d" / "fake" / f"p{person}" / f"{person}2.jpg", quality=95)
        make_clip(tmp_path / "d" / "real" / f"p{person}" / f"{person}3.mp4", frames=3)
        make_clip(tmp_path / "d" / "fake" / f"p{person}" / f"{person}4.mp4", frames=6)
    write_manifest(index("folder", tmp_path / "d", subject_from="folder"), tmp_path / "m.parquet")
    outcome = audit([tmp_path / "m.parquet"])
    tells = set(outcome.trivial.filter("finding").select("media", "feature").iter_rows())
    assert tells >= {("image", "bytes"), ("image", "bytes_per_pixel"), ("video", "duration_s"), ("video", "frames")}
    assert not {feature for _, feature in tells} & {"fps", "width", "height", "codec"}
