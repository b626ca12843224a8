"""The Codabench bundle: unpacked into a bare folder and run as the platform does."""

import ast
import json
import math
import struct
import zipfile
import zlib
from datetime import datetime
from itertools import pairwise

import polars as pl
import pytest
import yaml

from unmask.challenge.definition import Phase
from unmask.challenge.exporting.exporters import export
from unmask.challenge.folder import open_challenge
from unmask.challenge.submission import score_submission
from unmask.scoring.metrics import METRICS
from unmask.tables.errors import ChallengeError

from .conftest import BROKEN, PYTHONS, day, redefine, run, spoilt, submissions, texts, unpack

REFERENCE = {"public": "reference_public", "private": "reference_private"}


@pytest.fixture
def bundle(tmp_path, folder):
    export(folder, "codabench", tmp_path / "bundle.zip")
    return unpack(tmp_path / "bundle.zip", tmp_path / "bundle")


def stage(bundle, place, reference, files):
    """The folders that Codabench mounts: /app/program, /app/input/ref, /app/input/res and /app/output."""
    for name in ("program", "input/ref", "input/res", "output"):
        (place / name).mkdir(parents=True)
    for path in (bundle / "scoring_program").iterdir():
        (place / "program" / path.name).write_bytes(path.read_bytes())
    (place / "input" / "ref" / "answers.csv").write_bytes((bundle / reference / "answers.csv").read_bytes())
    for name, data in files.items():
        path = place / "input" / "res" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return place


def score(place, python):
    command = yaml.safe_load((place / "program" / "metadata.yaml").read_text())["command"].split()
    assert command[0] == "python3"
    arguments = [argument.replace("/app", str(place), 1) for argument in command[1:]]
    done = run(python, *arguments, cwd=place)
    path = place / "output" / "scores.json"
    return done, json.loads(path.read_text()) if path.exists() else None


@pytest.mark.parametrize("python", PYTHONS)
@pytest.mark.parametrize("metric", ["roc_auc", "log_loss", "eer", "precision_at_prevalence"])
def test_its_numbers_are_ours(tmp_path, folder, python, metric):
    redefine(folder, metric=metric, tie_breakers=("cllr", "tpr_at_fpr_10pct"))
    export(folder, "codabench", tmp_path / "bundle.zip")
    bundle = unpack(tmp_path / "bundle.zip", tmp_path / "bundle")
    for path in submissions(folder):
        for part, reference in REFERENCE.items():
            place = stage(bundle, tmp_path / f"{path.stem}-{part}", reference, {"deep/mine.csv": path.read_bytes()})
            done, found = score(place, python)
            assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
            card = score_submission(folder, path, usage=part)
            assert list(found) == [metric, "cllr", "tpr_at_fpr_10pct"]
            for name, value in found.items():
                assert math.isclose(value, card.metrics[name].value, rel_tol=1e-12, abs_tol=1e-12)


def test_scores_have_no_more_digits_than_are_shown(tmp_path, folder):
    redefine(folder, digits=3)
    export(folder, "codabench", tmp_path / "bundle.zip")
    bundle = unpack(tmp_path / "bundle.zip", tmp_path / "bundle")
    place = stage(bundle, tmp_path / "run", "reference_public", {"m.csv": submissions(folder)[0].read_bytes()})
    _, found = score(place, PYTHONS[0])
    assert found == {name: round(value, 3) for name, value in found.items()}


def test_bad_submissions_fail_with_a_reason_and_without_a_score(tmp_path, bundle, folder):
    good = submissions(folder)[0].read_text()
    cases = {name: ({"m.csv": text.encode()}, part) for name, (text, part) in spoilt(good).items()}
    cases |= {name: ({"m.csv": data}, "") for name, data in BROKEN.items()}
    cases["none"] = ({"m.txt": b"x"}, "0 CSV files")
    cases["two"] = ({"a.csv": good.encode(), "b.csv": good.encode()}, "2 CSV files")
    for name, (files, part) in cases.items():
        done, found = score(stage(bundle, tmp_path / name, "reference_public", files), PYTHONS[0])
        assert (done.returncode, found) == (1, None), name
        assert part in done.stderr
        assert "Traceback" not in done.stderr
        assert done.stderr.strip()


def test_what_a_mac_packs_beside_it_does_not_count(tmp_path, bundle, folder):
    data = submissions(folder)[0].read_bytes()
    files = {"mine.csv": data, "__MACOSX/._mine.csv": b"\0", "__MACOSX/mine.csv": b"\0", "._mine.csv": b"\0"}
    done, found = score(stage(bundle, tmp_path / "run", "reference_public", files), PYTHONS[0])
    assert done.returncode == 0
    assert found


def test_messages_do_not_depend_on_labels(tmp_path, bundle):
    path = bundle / "reference_public" / "answers.csv"
    told = []
    for turned in (False, True):
        if turned:
            key = pl.read_csv(path, infer_schema=False)
            path.write_text(key.with_columns(pl.col("label").replace({"0": "1", "1": "0"})).write_csv())
        place = stage(bundle, tmp_path / str(turned), "reference_public", {"m.csv": b"id,score\nv000,nan\nx,1\n"})
        told.append(score(place, PYTHONS[0])[0].stderr)
    assert told[0] == told[1]


def test_one_class_is_no_number_and_tells_no_label(tmp_path, bundle, folder):
    path = bundle / "reference_public" / "answers.csv"
    key = pl.read_csv(path, infer_schema=False)
    path.write_text(key.with_columns(pl.col("label").replace({"0": "1"})).write_csv())
    place = stage(bundle, tmp_path / "run", "reference_public", {"m.csv": submissions(folder)[0].read_bytes()})
    done, found = score(place, PYTHONS[0])
    assert (done.returncode, found) == (1, None)
    assert "tell the organizers" in done.stderr
    assert "real" not in done.stderr


def test_the_configuration_is_whole(bundle, folder):
    told = yaml.safe_load((bundle / "competition.yaml").read_text())
    assert told["version"] == 2
    assert told["title"] == "Gesichter, 2030: «toy»"
    assert told["registration_auto_approve"] is told["make_programs_available"] is False
    pages = [told["terms"], *(page["file"] for page in told["pages"])]
    for name in pages:
        assert (bundle / name).read_text().strip()
    for task in told["tasks"]:
        for kind in ("scoring_program", "reference_data"):
            assert task[kind].endswith("/")
            assert (bundle / task[kind]).is_dir()
    assert [column["key"] for column in told["leaderboards"][0]["columns"]] == ["roc_auc", "log_loss"]
    assert [column["sorting"] for column in told["leaderboards"][0]["columns"]] == ["desc", "asc"]
    assert {column["precision"] for column in told["leaderboards"][0]["columns"]} == {12}
    program = (bundle / "scoring_program" / "score.py").read_text()
    ast.parse(program, feature_version=(3, 7))
    assert "import unmask" not in program
    assert "from unmask" not in program


def test_every_title_fits(tmp_path, folder):
    for name in sorted(METRICS):
        if name == "tpr_at_fpr_0_1pct" or name == "tpr_at_fpr_1pct":
            continue  # they want a thousand reals
        redefine(folder, metric=name, tie_breakers=())
        export(folder, "codabench", tmp_path / "bundle.zip")
        with zipfile.ZipFile(tmp_path / "bundle.zip") as archive:
            told = yaml.safe_load(archive.read("competition.yaml"))
        (column,) = told["leaderboards"][0]["columns"]
        assert len(column["title"]) <= 36
        assert len(column["key"]) <= 36
        assert column["title"].replace("%", " %") == METRICS[name].title


def test_phases(tmp_path, folder):
    """Back to back phases part by a second, dates are text, and the last phase takes over what is on the board."""
    redefine(
        folder, phases=(Phase("One", day(1), day(5)), Phase("Two", day(5), day(9))), limits={"daily": 3, "total": 7}
    )
    export(folder, "codabench", tmp_path / "bundle.zip")
    told = yaml.safe_load((unpack(tmp_path / "bundle.zip", tmp_path / "bundle") / "competition.yaml").read_text())
    phases = told["phases"]
    assert [phase["name"] for phase in phases] == ["One", "Two", "Final ranking"]
    assert [phase["tasks"] for phase in phases] == [[0], [0], [1]]
    assert all(isinstance(phase[end], str) for phase in phases for end in ("start", "end"))
    times = [[datetime.fromisoformat(phase[end]) for end in ("start", "end")] for phase in phases]
    assert times[0][0] == day(1).replace(tzinfo=None)
    assert times[1][1] == day(9).replace(tzinfo=None)
    assert all(one[1] < other[0] for one, other in pairwise(times))
    assert times[2][1] > times[2][0]
    assert [phase.get("auto_migrate_to_this_phase", False) for phase in phases] == [False, False, True]
    assert {(phase["max_submissions_per_day"], phase["max_submissions"]) for phase in phases[:2]} == {(3, 7)}
    assert phases[0]["execution_time_limit"] == 600


def test_entrants_see_no_label(bundle, folder):
    told = yaml.safe_load((bundle / "competition.yaml").read_text())
    kits = {phase["starting_kit"] for phase in told["phases"] if "starting_kit" in phase}
    assert kits == {"starting_kit/"}
    assert not any("public_data" in phase for phase in told["phases"])
    seen = texts(bundle / "starting_kit") | texts(bundle / "pages")
    assert "sample_submission.csv" in seen
    sample = pl.read_csv(bundle / "starting_kit" / "sample_submission.csv", infer_schema=False)
    assert sample.columns == ["id", "score"]
    assert set(sample["score"]) == {"0.5"}
    assert sample["id"].to_list() == sorted(open_challenge(folder).ids)


def test_the_public_reference_has_no_private_label(bundle, folder):
    key = open_challenge(folder).key
    for part, reference in REFERENCE.items():
        found = pl.read_csv(bundle / reference / "answers.csv", infer_schema=False)
        assert found["id"].to_list() == sorted(key["id"])
        own = key.filter(pl.col("usage") == part).sort("id")
        labelled = found.filter(pl.col("label").is_not_null())
        assert labelled["id"].to_list() == own["id"].to_list()
        assert labelled["label"].to_list() == own["label"].cast(pl.String).to_list()
        assert set(found.filter(pl.col("label").is_null())["usage"]) == {"ignored"}


def test_the_logo_is_a_picture(bundle):
    data = (bundle / "logo.png").read_bytes()
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    place, kinds = 8, {}
    while place < len(data):
        (length,) = struct.unpack(">I", data[place : place + 4])
        kind, content = data[place + 4 : place + 8], data[place + 8 : place + 8 + length]
        assert struct.unpack(">I", data[place + 8 + length : place + 12 + length])[0] == zlib.crc32(kind + content)
        kinds[kind] = content
        place += 12 + length
    assert list(kinds) == [b"IHDR", b"IDAT", b"IEND"]
    width, height = struct.unpack(">2I", kinds[b"IHDR"][:8])
    assert len(zlib.decompress(kinds[b"IDAT"])) == height * (1 + 3 * width)


def test_the_same_challenge_gives_the_same_bytes(tmp_path, folder):
    for name in ("one", "two"):
        export(folder, "codabench", tmp_path / f"{name}.zip")
    assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "two.zip").read_bytes()


def test_what_cannot_be_exported_is_refused(tmp_path, folder):
    with pytest.raises(ChallengeError, match=r"does not end in \.zip"):
        export(folder, "codabench", tmp_path / "bundle")
    redefine(folder, metric="tpr_at_fpr_1pct")
    with pytest.raises(ChallengeError, match=r"no value on the public part.*needs 1,000 reals"):
        export(folder, "codabench", tmp_path / "bundle.zip")
    redefine(folder, metric="roc_auc", phases=())
    with pytest.raises(ChallengeError, match="has no phases"):
        export(folder, "codabench", tmp_path / "bundle.zip")
    redefine(folder, phases=(Phase("One", day(1), day(5)),))
    (folder / "rules.md").unlink()
    with pytest.raises(ChallengeError, match=r"the page rules\.md cannot be read"):
        export(folder, "codabench", tmp_path / "bundle.zip")
    assert not (tmp_path / "bundle.zip").exists()
