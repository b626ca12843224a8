"""Ids that tell the label are found, ids that do not are left alone, and new ids tell nothing."""

import random
import re
import string

import numpy as np
import polars as pl
import pytest
from sklearn.model_selection import cross_val_score
from sklearn.tree import DecisionTreeClassifier

from unmask.challenge.create import create
from unmask.challenge.folder import open_challenge
from unmask.challenge.ids import find_tells, new_names
from unmask.challenge.review import check_challenge, find_warnings
from unmask.cli.main import main
from unmask.scoring import score

from .conftest import make_manifest


def drawn(count, seed=0):
    letters = random.Random(seed)
    return ["".join(letters.choices(string.ascii_lowercase, k=10)) for _ in range(count)]


FACEFORENSICS = (
    [f"youtube/c23/{n:03d}" for n in range(140)],
    [f"{method}/c23/{n:03d}_{(n + 7) % 140:03d}" for method in ("Deepfakes", "Face2Face") for n in range(140)],
)
CELEB_DF = (
    [f"Celeb-real/id{n % 59}_{n:04d}.mp4" for n in range(108)] + [f"YouTube-real/{n:05d}.mp4" for n in range(70)],
    [f"Celeb-synthesis/id{n % 59}_id{n % 13}_{n:04d}.mp4" for n in range(340)],
)
TELLING = {
    "folders of classes": (
        ["real/y.mp4", *(f"real/{n}.mp4" for n in range(9))],
        [f"fake/a/{n}.mp4" for n in range(30)],
    ),
    "split before class": ([f"test/0_real/{n}" for n in range(9)], [f"test/1_fake/{n}" for n in range(9)]),
    "a folder for each file": ([f"real/{n}/clip" for n in range(40)], [f"fake/{n}/clip" for n in range(40)]),
    "FaceForensics++": FACEFORENSICS,
    "Celeb-DF": CELEB_DF,
    "Celeb-DF without folders": tuple([name.split("/")[1] for name in names] for names in CELEB_DF),
    "a word at the end": ([f"{n}_REAL.mp4" for n in range(20)], [f"{n}_Fake.mp4" for n in range(20)]),
    "endings": ([f"{n}.png" for n in drawn(20)], [f"{n}.jpg" for n in drawn(20, 1)]),
    "numbers": ([f"{n:04d}.mp4" for n in range(20)], [f"{n:04d}.mp4" for n in range(20, 60)]),
    "numbers without zeros": ([f"v{n}" for n in range(2, 40)], [f"v{n}" for n in range(110, 200)]),
    "all but a few": ([f"real/{n}" for n in range(20)], [*(f"fake/{n}" for n in range(40)), "real/x", "real/y"]),
}
SILENT = {
    "DFDC": ([f"{n}.mp4" for n in drawn(60)], [f"{n}.mp4" for n in drawn(300, 1)]),
    "DFDC in its parts": ([f"part_{n % 3}/{name}.mp4" for n, name in enumerate(drawn(60))],
                          [f"part_{n % 3}/{name}.mp4" for n, name in enumerate(drawn(300, 1))]),
    "folders of people": ([f"person{n % 20}/{name}.mp4" for n, name in enumerate(drawn(60))],
                          [f"person{n % 20}/{name}.mp4" for n, name in enumerate(drawn(90, 1))]),
    "numbers in turn": ([f"v{n:03d}" for n in range(0, 100, 2)], [f"v{n:03d}" for n in range(1, 100, 2)]),
    "one fake": ([f"{n}.mp4" for n in drawn(60)], ["zzz_fake.mp4"]),
    "a handful": (["a", "b", "c"], ["d", "e", "f"]),
    "half of the fakes in a folder": ([f"a/{n}" for n in drawn(40)], [f"{'ab'[n % 2]}/{name}" for n, name in
                                                                      enumerate(drawn(40, 1))]),
}  # fmt: skip


def table(reals, fakes):
    return [*reals, *fakes], [0] * len(reals) + [1] * len(fakes)


@pytest.mark.parametrize("name", TELLING)
def test_ids_that_tell(name):
    assert find_tells(*table(*TELLING[name]))


@pytest.mark.parametrize("name", SILENT)
def test_ids_that_tell_nothing(name):
    assert find_tells(*table(*SILENT[name])) == []


def test_what_tells_is_named():
    told = "; ".join(find_tells(*table(*CELEB_DF)))
    assert 'by their folders (such as "Celeb-synthesis" for fakes, "Celeb-real" for reals)' in told
    assert 'by the words "synthesis", "real"' in told
    assert 'by the pattern of their names (such as "a0_a0_0.a0" for fakes, "a0_0.a0" for reals)' in told
    assert find_tells(*table(*TELLING["numbers"])) == ["by their order (the reals stand first)"]


def test_drawn_names_are_never_taken_for_tells():
    """200 datasets of 24 files: chance must not look like a tell."""
    for seed in range(200):
        names = drawn(24, seed)
        assert find_tells([f"{name}.mp4" for name in names], [0] * 10 + [1] * 14) == []


def test_what_new_ids_keep():
    paths = ["fake/a.MP4", "real/b.tar.gz", "frames/c", "x.d/e", "clip.0001", "fake. real", "a.verylong"]
    found = new_names(paths)
    assert [re.fullmatch(r"[a-z]{10}(\..*)?", name)[1] for name in found] == [
        ".mp4",
        ".gz",
        None,
        None,
        None,
        None,
        None,
    ]
    many = new_names(["x.mp4"] * 5000)
    assert len(set(many)) == 5000
    assert not set(many) & set(new_names(["x.mp4"] * 5000))


@pytest.fixture
def telling(tmp_path):
    """A manifest as ``unmask index folder`` writes it: ids are paths, sorted by class."""
    labels = make_manifest()["label"].to_list()
    names = [f"{'fake' if label else 'real'}/{n:03d}.mp4" for n, label in enumerate(labels)]
    path = tmp_path / "telling.parquet"
    make_manifest().with_columns(id=pl.Series(names), path=pl.Series(names)).write_parquet(path)
    return path


def test_init_warns_and_the_next_step_works(tmp_path, telling, capsys):
    for folder, options in (("warned", []), ("mended", ["--new-ids"])):
        assert main(["challenge", "init", str(tmp_path / folder), "--manifest", str(telling), *options]) == 0
        told = capsys.readouterr()
        if options:
            assert "names.csv" in told.out
            assert told.err == ""
        else:
            assert all(word in told.err for word in ("warning:", "tell the label", '"fake"', '"real"', "--new-ids"))
    assert main(["challenge", "check", str(tmp_path / "mended")]) == 0
    assert "tell the label" not in capsys.readouterr().err


def test_new_ids_lead_back_and_tell_nothing(tmp_path, telling):
    made = create(tmp_path / "c", telling, new_ids=True)
    names = pl.read_csv(made.folder / "names.csv")
    assert names.columns == ["id", "original_id", "path"]
    assert names["id"].to_list() == sorted(names["id"]) == made.ids
    given = pl.read_parquet(telling)
    back = names.join(made.key, on="id").join(given, left_on="original_id", right_on="id", suffix="_before")
    assert back.height == given.height == 120
    assert (back["label"] == back["label_before"]).all()
    assert (back["path"] == back["path_before"]).all()
    assert (back["cluster"] == back["source_id"]).all()
    handed_out = (made.folder / "challenge.yaml").read_text() + (made.folder / "sample_submission.csv").read_text()
    assert not [word for word in ("fake", "real", "mp4/") if word in handed_out]
    letters = np.array([[ord(sign) for sign in name[:10]] for name in made.ids])
    learnt = cross_val_score(DecisionTreeClassifier(max_depth=3), letters, made.key["label"], cv=5, scoring="roc_auc")
    assert abs(learnt.mean() - 0.5) < 0.25


def test_new_ids_cannot_be_drawn_again_from_what_entrants_know(tmp_path, telling):
    first, again = (create(tmp_path / f"{n}", telling, new_ids=True, name="x").ids for n in range(2))
    assert not set(first) & set(again)


def test_files_without_a_source_stay_clusters_of_their_own(tmp_path, telling):
    pl.read_parquet(telling).drop("source_id").write_parquet(telling)
    made = create(tmp_path / "c", telling, new_ids=True)
    assert (made.key["cluster"] == made.key["id"]).all()
    card = score(made.key.select("id", score=pl.lit(0.5)), made.answers, replicates=5)
    assert card.basis.clusters == {"file": 120}


def test_an_empty_path_gives_way_to_the_id(tmp_path, telling):
    empty = pl.when(pl.col("label") == 1).then(None).otherwise("path")
    pl.read_parquet(telling).with_columns(path=empty).write_parquet(telling)
    made = create(tmp_path / "c", telling, new_ids=True)
    assert {name[10:] for name in made.ids} == {".mp4"}
    assert pl.read_csv(made.folder / "names.csv")["path"].null_count() == 80


def test_endings_that_tell_are_warned_of_even_with_new_ids(tmp_path, telling):
    ending = pl.when(pl.col("label") == 1).then(pl.lit(".avi")).otherwise(pl.lit(".mp4"))
    pl.read_parquet(telling).with_columns(path=pl.col("path") + ending).write_parquet(telling)
    warning = find_warnings(create(tmp_path / "c", telling, new_ids=True))[0]
    assert "avi" in warning
    assert "same formats" in warning


def test_check_warns_of_a_challenge_that_was_made_before(challenge, capsys):
    from unmask.tables.hashing import sha256

    assert find_warnings(check_challenge(challenge)) == []
    key = open_challenge(challenge).key
    old = sha256(challenge / "answers.csv")
    telling = key.with_columns(
        id=pl.when(pl.col("label") == 1).then(pl.lit("fake_")).otherwise(pl.lit("")) + pl.col("id")
    )
    telling.write_csv(challenge / "answers.csv")
    telling.select("id", score=pl.lit(0.5)).write_csv(challenge / "sample_submission.csv")
    definition = challenge / "challenge.yaml"
    definition.write_text(definition.read_text().replace(old, sha256(challenge / "answers.csv")))
    assert main(["challenge", "check", str(challenge)]) == 0
    told = capsys.readouterr()
    assert "fine" in told.out
    assert "warning: the ids tell the label" in told.err
    assert "--new-ids" in told.err
