"""The board and challengeR's table, and what no exporter takes."""

import csv
import math
from statistics import fmean

import pytest

from tests.challenge.conftest import answers_of
from unmask.challenge.exporting.answers import harmless
from unmask.challenge.exporting.exporters import BUNDLES, TABLES, export
from unmask.challenge.ranking import rank
from unmask.challenge.submission import score_submission
from unmask.tables.errors import ChallengeError

from .conftest import ROWS, redefine, submissions


def rows_of(path):
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


@pytest.mark.parametrize("usage", ["public", "private", "all"])
def test_the_board_is_the_standings(tmp_path, folder, usage):
    (folder / "submissions" / "broken.csv").write_text("id,score\nv000,nan\n")
    assert export(folder, "csv", tmp_path / "board.csv", usage=usage) == []
    entries = rank(folder, usage=usage).entries
    found = rows_of(tmp_path / "board.csv")
    assert [row["team"] for row in found] == [entry.team for entry in entries] == ["good", "fair", "broken"]
    for row, entry in zip(found, entries, strict=True):
        assert row["status"] == entry.status
        for name in ("rank", "score", "low", "high", "rank_low", "rank_high", "tier", "public_score"):
            value = getattr(entry, name)
            assert (float(row[name]) if row[name] else None) == value
        assert [float(row["log_loss"])] == entry.ties if entry.ties else row["log_loss"] == ""


def test_the_public_board_has_no_private_number(tmp_path, folder):
    export(folder, "csv", tmp_path / "board.csv", usage="public")
    text = (tmp_path / "board.csv").read_text()
    for entry in rank(folder).entries:
        assert str(entry.public_score) in text
        assert str(entry.score) not in text


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@SUM(A1)", "=cmd|' /C calc'!A0", '=HYPERLINK("x","y")'])
def test_no_name_is_a_formula(tmp_path, folder, name):
    answers_of(0.4, rows=ROWS).write_csv(folder / "submissions" / f"{name.replace('/', '%')}.csv")
    redefine(folder, metric="log_loss", tie_breakers=())
    for to, column in (("csv", "team"), ("challenger", "algorithm")):
        export(folder, to, tmp_path / f"{to}.csv")
        names = {row[column] for row in rows_of(tmp_path / f"{to}.csv")}
        assert names == {"good", "fair", f"'{name.replace('/', '%')}"}


@pytest.mark.parametrize("text", ["=a", "+a", "-a", "@a", "\ta", "\ra"])
def test_every_first_sign_of_a_formula_is_made_harmless(text):
    assert harmless(text) == f"'{text}"
    assert harmless("a" + text) == "a" + text


def test_numbers_below_zero_stay_numbers(tmp_path, folder):
    redefine(folder, metric="log_wp_50pct", tie_breakers=())
    export(folder, "csv", tmp_path / "board.csv")
    assert all(float(row["score"]) < 0 for row in rows_of(tmp_path / "board.csv"))


@pytest.mark.parametrize("metric", ["log_loss", "brier"])
@pytest.mark.parametrize("usage", ["public", "private", "all"])
def test_the_mean_over_challengers_cases_is_our_number(tmp_path, folder, metric, usage):
    redefine(folder, metric=metric, tie_breakers=(), clip=0.01)
    answers_of(1.0, rows=ROWS).write_csv(folder / "submissions" / "sure.csv")
    (folder / "submissions" / "broken.csv").write_text("id,score\nv000,nan\n")
    for team in ("twice.csv", "twice.csv.gz"):
        (folder / "submissions" / team).touch()
    notes = export(folder, "challenger", tmp_path / "cases.csv", usage=usage)
    assert [note.split()[0] for note in notes] == ["broken", "twice", "twice"]
    found = rows_of(tmp_path / "cases.csv")
    assert list(found[0]) == ["task", "case", "algorithm", "value"]
    assert {row["task"] for row in found} == {"Gesichter, 2030: «toy»"}
    assert {row["algorithm"] for row in found} == {"good", "fair", "sure"}
    for team in ("good", "fair", "sure"):
        own = [row for row in found if row["algorithm"] == team]
        card = score_submission(folder, folder / "submissions" / f"{team}.csv", usage=usage)
        assert len({row["case"] for row in own}) == len(own) == card.expected
        mean = fmean(float(row["value"]) for row in own)
        assert math.isclose(mean, card.metrics[metric].value, rel_tol=1e-12)


def test_a_metric_without_a_number_for_each_file_is_refused(tmp_path, folder):
    with pytest.raises(ChallengeError, match="one number for each file, and roc_auc has one for all files together"):
        export(folder, "challenger", tmp_path / "cases.csv")
    assert not (tmp_path / "cases.csv").exists()


def test_nothing_submitted_yet(tmp_path, folder):
    redefine(folder, metric="brier", tie_breakers=())
    for path in submissions(folder):
        path.unlink()
    with pytest.raises(ChallengeError, match="no submission that is accepted"):
        export(folder, "challenger", tmp_path / "cases.csv")
    export(folder, "csv", tmp_path / "board.csv")
    assert rows_of(tmp_path / "board.csv") == []


@pytest.mark.parametrize("to", ["challenger", "csv"])
def test_other_endings_and_parts_are_refused(tmp_path, folder, to):
    redefine(folder, metric="brier", tie_breakers=())
    with pytest.raises(ChallengeError, match=r"does not end in \.csv"):
        export(folder, to, tmp_path / "board.xlsx")
    with pytest.raises(ChallengeError, match="no usage"):
        export(folder, to, tmp_path / "board.csv", usage="secret")


def test_other_platforms_are_refused(tmp_path, folder):
    with pytest.raises(ChallengeError, match="no platform 'drivendata'") as caught:
        export(folder, "drivendata", tmp_path / "out")
    assert caught.value.next_step == "give one of kaggle, codabench, evalai, challenger, csv"
    assert [*BUNDLES, *TABLES] == ["kaggle", "codabench", "evalai", "challenger", "csv"]
    for to in BUNDLES:
        with pytest.raises(ChallengeError, match="takes both parts"):
            export(folder, to, tmp_path / "out.zip", usage="public")


def test_what_stays_behind_is_said(tmp_path, folder):
    redefine(folder, ladder=True, tracks=("open", "closed"))
    notes = "\n".join(export(folder, "codabench", tmp_path / "out.zip"))
    for part in ("Ladder", "each of open, closed", "final picks", ".parquet"):
        assert part in notes
