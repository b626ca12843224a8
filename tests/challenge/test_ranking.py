"""The ranking: right order, shared ranks, refused entries listed, and the numbers of the plain scorer."""

import json
import math
import os

import polars as pl
import pytest

from unmask.challenge.create import create
from unmask.challenge.folder import open_challenge
from unmask.challenge.ranking import rank
from unmask.challenge.submission import score_submission
from unmask.tables.hashing import sha256

from .conftest import answers_of


def enter(challenge, **teams):
    for team, quality in teams.items():
        answers_of(quality).write_csv(challenge / "submissions" / f"{team}.csv")


def entries(standings):
    return {entry["team"]: entry for entry in standings.to_dict()["entries"]}


def test_ranks_follow_the_direction_of_the_metric(tmp_path, manifest):
    for metric, better in (("roc_auc", 1), ("log_loss", -1), ("eer", -1), ("average_precision", 1)):
        folder = create(tmp_path / metric, manifest, metric=metric).folder
        enter(folder, good=0.5, fair=0.3, poor=0.02)
        found = rank(folder)
        scores = [better * entry.score for entry in found.entries]
        assert scores == sorted(scores, reverse=True)
        assert [entry.team for entry in found.entries] == ["good", "fair", "poor"]
        assert [entry.rank for entry in found.entries] == [1, 2, 3]
        written = json.loads((folder / "standings.json").read_text())
        assert written == found.to_dict()
        assert written["direction"] == ("higher" if better == 1 else "lower")


def test_who_has_no_value_is_told_why_and_takes_nobody_s_rank(tmp_path, manifest):
    """Whether anything is called fake is the team's own doing; most other reasons lie in the labels."""
    folder = create(tmp_path / "made", manifest, metric="precision_at_prevalence").folder
    enter(folder, good=0.9, fair=0.45)
    ids = pl.read_csv(folder / "sample_submission.csv")["id"]
    timid = pl.DataFrame({"id": ids, "score": [0.1] * len(ids)})
    timid.write_csv(folder / "submissions" / "timid.csv")
    # One fake alone is called fake: in some replicates it is not drawn, and there is no value in them.
    bold = timid.with_columns(score=pl.when(pl.col("id") == caught(folder)).then(0.9).otherwise(0.1))
    bold.write_csv(folder / "submissions" / "bold.csv")
    found = entries(rank(folder))
    assert found["timid"]["rank"] is found["timid"]["score"] is None
    assert found["timid"]["problems"] == ["the score is undefined: nothing is called fake at the threshold"]
    assert {found[team]["rank"] for team in ("good", "bold")} == {1}
    assert found["good"]["low"] is not None
    assert found["bold"]["low"] is None
    assert found["bold"]["rank_high"] == 3
    assert list(found)[-1] == "timid"


def caught(folder):
    key = pl.read_csv(folder / "answers.csv")
    return key.filter((pl.col("usage") == "private") & (pl.col("label") == 1))["id"][0]


def test_metrics_without_a_lowest_value_are_shown(tmp_path, manifest):
    folder = create(tmp_path / "made", manifest, metric="log_wp_50pct").folder
    enter(folder, good=0.9, poor=0.02)
    assert [entry.team for entry in rank(folder).entries] == ["good", "poor"]
    assert "good" in (folder / "standings.html").read_text()


def test_numbers_are_those_of_the_scorer(challenge):
    enter(challenge, one=0.3, two=0.2)
    for usage in ("public", "private", "all"):
        for team, entry in entries(rank(challenge, usage=usage)).items():
            path = challenge / "submissions" / f"{team}.csv"
            auc = score_submission(challenge, path, usage=usage).metrics["roc_auc"]
            assert (entry["score"], entry["low"], entry["high"]) == (
                round(auc.value, 4),
                round(auc.low, 4),
                round(auc.high, 4),
            )
            public = score_submission(challenge, path, usage="public").metrics["roc_auc"]
            assert entry["public_score"] == round(public.value, 4)


def test_equal_scores_share_a_rank(challenge):
    enter(challenge, first=0.9, b=0.2, a=0.2)
    (challenge / "submissions" / "last.csv").write_text((challenge / "sample_submission.csv").read_text())
    found = rank(challenge)
    assert [(entry.team, entry.rank) for entry in found.entries] == [("first", 1), ("a", 2), ("b", 2), ("last", 4)]
    twins = entries(found)
    assert {(twins[t]["rank_low"], twins[t]["rank_high"]) for t in "ab"} == {(2, 2)}


def test_scores_that_look_the_same_share_a_rank(challenge):
    text = (challenge / "challenge.yaml").read_text().replace("digits: 4", "digits: 1").replace("roc_auc", "log_loss")
    (challenge / "challenge.yaml").write_text(text)
    enter(challenge, a=0.300, b=0.301)
    assert [entry.rank for entry in rank(challenge).entries] == [1, 1]


def test_refused_entries_are_listed_with_every_fault_and_never_ranked(challenge):
    enter(challenge, good=0.4)
    folder = challenge / "submissions"
    (folder / "broken.csv").write_text("id,score\nv000,nan\nv000,0.5\nnobody,0.5\n")
    (folder / "empty.csv").write_text("")
    (folder / "model.pkl").write_bytes(b"\x80\x04N.")
    (folder / "a-folder.csv").mkdir()
    (folder / "two.csv").write_text("")
    answers_of(0.9).write_parquet(folder / "two.parquet")
    (folder / ".hidden").write_text("")
    found = rank(challenge)
    assert [entry.team for entry in found.entries] == ["good", "a-folder", "broken", "empty", "model.pkl", "two", "two"]
    for entry in found.entries[1:]:
        assert (entry.status, entry.rank, entry.score) == ("refused", None, None)
        assert entry.problems
    told = "\n".join(entries(found)["broken"]["problems"])
    named = ("line 2", "nan", "line 3", "already", "line 4", "nobody", "119 of the 120", "v001")
    assert all(word in told for word in named)
    page = (challenge / "standings.html").read_text()
    assert "v001" in page
    assert "more than one file" in page


def test_parts_do_not_overwrite_each_other(challenge):
    enter(challenge, one=0.3, two=0.2)
    found = {usage: rank(challenge, usage=usage) for usage in ("private", "public", "all")}
    stems = {"private": "standings", "public": "standings-public", "all": "standings-all"}
    for usage, stem in stems.items():
        assert json.loads((challenge / f"{stem}.json").read_text()) == found[usage].to_dict()
    assert {path.name for path in challenge.glob("standings*")} == {
        f"{stem}.{kind}" for stem in stems.values() for kind in ("json", "html")
    }


def test_each_page_says_which_part_and_how_many_files(challenge):
    enter(challenge, one=0.3)
    counts = open_challenge(challenge).key["usage"].value_counts()
    rows = dict(counts.iter_rows()) | {"all": 120}
    for usage, name, part in (
        ("private", "standings", "Private part."), ("public", "standings-public", "Public part."),
        ("all", "standings-all", "Public and private part."),
    ):  # fmt: skip
        found = rank(challenge, usage=usage)
        page = (challenge / f"{name}.html").read_text()
        assert part in page
        assert f"Ranked by {rows[usage]} of the 120 files; intervals over {found.basis}." in page
        assert (found.rows, found.files) == (rows[usage], 120)
        assert found.to_dict()["clusters"] == {"source": rows[usage] // 3}


def test_the_public_standings_are_the_same_whatever_the_private_labels(tmp_path, challenge):
    enter(challenge, one=0.3, two=0.2, three=0.1)
    texts = []
    for turned in (False, True):
        answers = challenge / "answers.csv"
        old = sha256(answers)
        if turned:
            private = pl.col("usage") == "private"
            label = pl.when(private).then(1 - pl.col("label")).otherwise("label")
            pl.read_csv(answers).with_columns(label=label).write_csv(answers)
        definition = challenge / "challenge.yaml"
        definition.write_text(definition.read_text().replace(old, sha256(answers)))
        rank(challenge, usage="public")
        for name in ("standings-public.json", "standings-public.html"):
            texts.append((challenge / name).read_text().replace(sha256(answers), "HASH"))
    assert texts[:2] == texts[2:]
    assert "Public score" not in texts[1]


def test_nothing_submitted_yet(challenge):
    assert rank(challenge).entries == []
    assert "No submission has been scored yet" in (challenge / "standings.html").read_text()


def test_undefined_is_no_rank(challenge):
    answers = challenge / "answers.csv"
    old = sha256(answers)
    key = pl.read_csv(answers).with_columns(
        usage=pl.when(pl.col("label") == 0).then(pl.lit("ignored")).otherwise(pl.lit("private"))
    )
    key.write_csv(answers)
    definition = challenge / "challenge.yaml"
    definition.write_text(definition.read_text().replace(old, sha256(answers)))
    enter(challenge, a=0.5, b=0.1)
    found = rank(challenge)
    for entry in found.entries:
        assert (entry.rank, entry.score, entry.public_score) == (None, None, None)
        assert "no real" in entry.problems[0]


def test_names_that_are_formulas_or_markup_do_no_harm(challenge):
    folder = challenge / "submissions"
    names = ["=cmd|'!A1", "<script>alert(1)<", "{{7*7}}", "a\u202eb", "naïve", "-x", "x.csv"]
    for name in names:
        answers_of(0.3).write_csv(folder / f"{name}.csv")
    (folder / os.fsdecode(b"\xff\xfe.csv")).write_text("x")
    found = rank(challenge)
    assert len(found.entries) == len(names) + 1
    page = (challenge / "standings.html").read_text(encoding="utf-8")
    assert "<script" not in page
    assert "{{7*7}}" in page
    assert "\u202e" not in page
    assert r"a\u202eb" in page
    assert "http" not in page
    json.loads((challenge / "standings.json").read_text())


def test_gzip_and_parquet_count_like_csv(challenge):
    import gzip

    folder = challenge / "submissions"
    answers_of(0.3).write_csv(folder / "a.csv")
    (folder / "b.csv.gz").write_bytes(gzip.compress((folder / "a.csv").read_bytes()))
    answers_of(0.3).write_parquet(folder / "c.parquet")
    assert [(entry.team, entry.rank) for entry in rank(challenge).entries] == [("a", 1), ("b", 1), ("c", 1)]


def test_rank_intervals_hold_the_rank_and_chance_is_wide(challenge):
    enter(challenge, clear=0.95)
    for seed in range(6):
        answers_of(0.02, seed=seed).write_csv(challenge / "submissions" / f"chance{seed}.csv")
    found = entries(rank(challenge))
    assert (found["clear"]["rank_low"], found["clear"]["rank_high"]) == (1, 1)
    widths = []
    for entry in found.values():
        assert entry["rank_low"] <= entry["rank"] <= entry["rank_high"]
        widths.append(entry["rank_high"] - entry["rank_low"])
    assert max(widths) >= 3
    assert all(
        math.isfinite(entry["low"]) and entry["low"] <= entry["score"] <= entry["high"] for entry in found.values()
    )


@pytest.mark.parametrize("show", [[], ["score"], ["rank_interval", "interval"]])
def test_page_shows_what_the_definition_says(challenge, show):
    definition = challenge / "challenge.yaml"
    text = definition.read_text()
    definition.write_text(text[: text.index("show:")] + f"show: {json.dumps(show)}\n")
    enter(challenge, a=0.5)
    rank(challenge)
    page = (challenge / "standings.html").read_text()
    for column, heading in (("score", ">Score<"), ("rank_interval", "Rank could be"), ("public_score", "Public score")):
        assert (heading in page) == (column in show)
