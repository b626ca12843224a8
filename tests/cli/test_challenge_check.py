"""``unmask challenge check --files``, on real files, with the heavy packages and without them."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest
import typer
from sklearn.metrics import roc_auc_score

from tests.fakes.media import make_clip, make_picture
from unmask.challenge.create import create
from unmask.challenge.definition import read_definition, write_definition
from unmask.cli.challenge_check import check
from unmask.tables.errors import ChallengeError
from unmask.tables.hashing import sha256
from unmask.tables.manifest import write_manifest

PEOPLE = 12


def run(*words: object) -> int:
    """The command's exit code; what it refuses is raised, as ``main`` gets it."""
    app = typer.Typer(pretty_exceptions_enable=False)
    app.command()(check)
    with pytest.raises(SystemExit) as left:
        app([str(word) for word in words])
    return left.value.code


def write(root: Path, rows: list[dict[str, object]]) -> Path:
    path = root.with_suffix(".parquet")
    frame = pl.DataFrame(rows).with_columns(id="path", dataset=pl.lit("d"), root=pl.lit(str(root)))
    write_manifest(frame.with_columns(media=pl.col("path").str.contains("mp4").replace_strict(
        {True: "video", False: "image"}
    )), path)  # fmt: skip
    return path


def pictures(root: Path, *, quality: int = 90, split: str = "test") -> list[dict[str, object]]:
    """A real and a fake picture of each of twelve people, the fakes of another JPEG quality."""
    rows = []
    for person in range(PEOPLE):
        for label in (0, 1):
            path = f"{root.name}{(7 * person + 5 * label) % 17}{person}{label}.jpg"
            make_picture(root / path, quality=quality if label else 90)
            rows.append({"path": path, "label": label, "split": split, "subject_id": f"{root.name}{person}"})
    return rows


@pytest.fixture
def hidden(tmp_path) -> tuple[Path, Path]:
    """A challenge with new ids, made of sound pictures, and the manifest of them."""
    manifest = write(tmp_path / "hidden", pictures(tmp_path / "hidden"))
    return write_texts(create(tmp_path / "c", manifest, new_ids=True).folder), manifest


def write_texts(folder: Path) -> Path:
    """Give a challenge the texts that whoever makes it has to write."""
    for page in folder.glob("*.md"):
        page.write_text("# Text\n")
    return folder


def leaking(tmp_path: Path) -> Path:
    """Training data with a person, a copy and a look-alike of the hidden files."""
    rows = pictures(tmp_path / "train", split="train")
    own = [row["path"] for row in pictures(tmp_path / "hidden")]
    shutil.copy(tmp_path / "hidden" / own[0], tmp_path / "train/copy.jpg")
    make_picture(tmp_path / "train/again.jpg", seed=own[7], quality=50)
    more = {"label": 0, "split": "validation"}
    return write(tmp_path / "train", [
        *rows,
        {"path": "copy.jpg", "subject_id": "hidden3", **more},
        {"path": "again.jpg", "subject_id": "zoe", **more},
    ])  # fmt: skip


def test_sound_files_are_fine(hidden, tmp_path, capsys):
    folder, manifest = hidden
    train = write(tmp_path / "train", pictures(tmp_path / "train", split="train"))
    assert run(folder, "--files", manifest, "--training", train, "--workers", 1) == 0
    told = capsys.readouterr()
    assert told.err == ""
    assert told.out.endswith("c: fine, 24 ids\n")
    assert "bytes" in told.out
    assert "tells the label" not in told.out
    assert "sources are not known" in told.out


def test_a_feature_that_tells_is_told_aloud_and_in_the_file(tmp_path, capsys):
    root = tmp_path / "hidden"
    manifest = write(root, pictures(root, quality=80))
    folder = write_texts(create(tmp_path / "c", manifest, new_ids=True).folder)
    assert run(folder, "--files", manifest, "--json", tmp_path / "out/check.json", "--workers", 1) == 0
    told = capsys.readouterr()
    assert "warning: bytes alone tells real from fake in images: AUC 0." in told.err
    assert "encode both classes again" in told.err
    line = next(line for line in told.out.splitlines() if " bytes " in line)
    assert "tells the label" in line
    content = json.loads((tmp_path / "out/check.json").read_text())
    rows = {row["feature"]: row for row in content["trivial_features"]}
    made = pictures(root, quality=80)
    auc = roc_auc_score([row["label"] for row in made], [(root / row["path"]).stat().st_size for row in made])
    assert auc < 0.4  # smaller files are fakes
    assert rows["bytes"]["auc"] == pytest.approx(auc)
    assert rows["bytes"]["high"] < 0.5
    assert rows["name_order"]["verdict"] == "fine"
    assert {finding["kind"] for finding in content["findings"]} == {"trivial_feature"}
    assert list(content["manifests"]) == [str(manifest)]
    warnings = told.err.count("warning: ")
    assert told.out.endswith(f"c: fine, 24 ids; warnings: {warnings}\n")
    assert warnings == len(content["findings"])


def test_what_training_data_shares_is_told(hidden, tmp_path, capsys):
    folder, manifest = hidden
    train = leaking(tmp_path)
    assert run(folder, "--files", manifest, "--training", train, "--json", tmp_path / "c.json", "--workers", 1) == 0
    findings = {each["kind"]: each for each in json.loads((tmp_path / "c.json").read_text())["findings"]}
    assert set(findings) == {"same_bytes", "shared_subject", "near_duplicate"}
    first = pictures(tmp_path / "hidden")[0]["path"]
    assert findings["same_bytes"]["where"] == [
        f"train.parquet: copy.jpg (the training data) = hidden.parquet: {first} (the hidden files)"
    ]
    assert findings["near_duplicate"]["count"] == 2
    assert findings["shared_subject"]["count"] == 1
    told = " ".join(capsys.readouterr().err.split())
    assert "warning: 1 file is in the training data and in the hidden files, byte for byte where: train.parquet" in told
    assert "next: take them out of the training data that entrants get, or out of the challenge" in told


def test_videos_and_their_length(tmp_path, capsys):
    rows = []
    for number in range(20):
        path = f"{number * 7 % 20:02d}.mp4"
        make_clip(tmp_path / "clips" / path, frames=4 + 3 * (number % 2))
        rows.append({"path": path, "label": number % 2, "split": "test", "subject_id": None})
    manifest = write(tmp_path / "clips", rows)
    folder = create(tmp_path / "c", manifest, split=None).folder
    assert run(folder, "--files", manifest, "--json", tmp_path / "c.json", "--workers", 1) == 0
    judged = {
        row["feature"]: row["verdict"] for row in json.loads((tmp_path / "c.json").read_text())["trivial_features"]
    }
    assert {judged["frames"], judged["duration_s"]} == {"tells the label"}
    assert not {"fps", "width", "codec", "ending"} & set(judged)
    assert "frames alone tells real from fake in videos" in capsys.readouterr().err


def test_the_order_of_the_ids_that_entrants_see_is_looked_at(tmp_path):
    rows = pictures(tmp_path / "hidden")
    manifest = write(tmp_path / "hidden", rows)
    sorted_rows = sorted(rows, key=lambda row: (row["label"], row["path"]))
    key = pl.DataFrame(sorted_rows).with_columns(id="path", new=pl.int_range(9, 9 + len(rows)).cast(pl.String))
    key.select("label", "subject_id", id="new").write_csv(tmp_path / "key.csv")
    folder = create(tmp_path / "c", tmp_path / "key.csv", split=None).folder
    key.select(id="new", original_id="id").write_csv(folder / "names.csv")
    assert run(folder, "--files", manifest, "--json", tmp_path / "c.json", "--workers", 1) == 0
    judged = {row["feature"]: row for row in json.loads((tmp_path / "c.json").read_text())["trivial_features"]}
    assert judged["name_order"]["auc"] == 1.0  # 9 stands before 10, as numbers do
    assert judged["name_order"]["verdict"] == "tells the label"


def test_files_that_the_key_ignores_are_not_judged(hidden, tmp_path):
    folder, manifest = hidden
    key = pl.read_csv(folder / "answers.csv")
    ignored = pl.when(pl.col("subject_id") == "hidden4").then(pl.lit("ignored")).otherwise("usage")
    key.with_columns(usage=ignored).write_csv(folder / "answers.csv")
    definition = read_definition(folder)
    write_definition(replace(definition, sha256=sha256(folder / "answers.csv")), folder)
    assert run(folder, "--files", manifest, "--json", tmp_path / "c.json", "--workers", 1) == 0
    judged = json.loads((tmp_path / "c.json").read_text())["trivial_features"]
    assert {(row["n_real"], row["n_fake"]) for row in judged} == {(11, 11)}


def test_one_manifest_may_list_hidden_files_and_training_data(tmp_path, capsys):
    root = tmp_path / "all"
    rows = pictures(root)
    for person in range(4):
        make_picture(root / f"more{person}.jpg")
        rows.append({"path": f"more{person}.jpg", "label": 0, "split": "train", "subject_id": f"all{person}"})
    manifest = write(root, rows)
    folder = create(tmp_path / "c", manifest).folder
    assert run(folder, "--files", manifest, "--training", manifest, "--json", tmp_path / "c.json", "--workers", 1) == 0
    findings = [
        each for each in json.loads((tmp_path / "c.json").read_text())["findings"] if each["kind"] != "trivial_feature"
    ]
    assert [(each["kind"], each["count"]) for each in findings] == [("shared_subject", 4)]


def test_unusable_files_and_other_labels_are_warnings(hidden, tmp_path, capsys):
    folder, _ = hidden
    rows = pictures(tmp_path / "hidden")
    (tmp_path / "hidden" / rows[0]["path"]).unlink()
    (tmp_path / "hidden" / rows[1]["path"]).write_bytes(b"hello")
    rows[2]["label"] = 1
    assert run(folder, "--files", write(tmp_path / "hidden", rows), "--workers", 1) == 0
    told = " ".join(capsys.readouterr().err.split())
    assert "1 file is not there" in told
    assert "1 file is damaged or not what the ending says" in told
    assert "1 file is called real by one of the manifest and the answer key, and fake by the other" in told
    assert rows[2]["path"] in told


def test_copies_under_both_labels_and_nothing_to_judge(hidden, tmp_path, capsys):
    folder, manifest = hidden
    first, second, *others = [tmp_path / "hidden" / str(row["path"]) for row in pictures(tmp_path / "hidden")]
    shutil.copy(first, second)
    for path in others:
        path.unlink()
    assert run(folder, "--files", manifest, "--workers", 1) == 0
    told = capsys.readouterr()
    assert "1 file is called real and fake, with the same bytes" in told.err
    assert "22 files are not there" in told.err
    first.unlink()
    second.unlink()
    with pytest.raises(ChallengeError, match="none of the 24 hidden files can be used") as refused:
        run(folder, "--files", manifest, "--workers", 1)
    assert "24 files are not there" in str(refused.value)
    assert "note: no trivial feature was judged" in capsys.readouterr().out


def test_what_cannot_be_checked_is_refused(hidden, tmp_path):
    folder, manifest = hidden
    with pytest.raises(ChallengeError, match="give --files"):
        run(folder, "--training", manifest)
    with pytest.raises(ChallengeError, match="without the hidden files"):
        run(folder, folder / "sample_submission.csv", "--files", manifest)
    with pytest.raises(ChallengeError, match="there is no training data"):
        run(folder, "--files", manifest, "--training", manifest)
    other = write(tmp_path / "other", pictures(tmp_path / "other"))
    with pytest.raises(ChallengeError, match="24 of 24 ids of the answer key have no row"):
        run(folder, "--files", other)


def test_without_files_it_checks_challenge_and_submission_as_before(hidden, capsys):
    folder, _ = hidden
    assert run(folder) == 0
    assert run(folder, folder / "sample_submission.csv") == 0
    assert capsys.readouterr().out == "c: fine, 24 ids\nsample_submission.csv: fine, 24 ids answered\n"


BASE_INSTALL = """
import importlib.abc, sys

class Absent(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {"av", "cv2", "imagehash", "pebble", "PIL", "scipy", "sklearn", "torch"}:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Absent())
import typer
from unmask.cli.challenge_check import check
app = typer.Typer(pretty_exceptions_enable=False)
app.command()(check)
app(sys.argv[1:])
"""


def test_the_base_install_looks_at_what_needs_no_decoder(tmp_path):
    root = tmp_path / "hidden"
    manifest = write(root, pictures(root, quality=80))
    folder = create(tmp_path / "c", manifest, new_ids=True).folder
    train = write(tmp_path / "train", [
        *pictures(tmp_path / "train", split="train"),
        {"path": "copy.jpg", "subject_id": "hidden3", "label": 0, "split": "train"},
    ])  # fmt: skip
    shutil.copy(root / pictures(root, quality=80)[0]["path"], tmp_path / "train/copy.jpg")
    words = [str(folder), "--files", str(manifest), "--training", str(train), "--json", str(tmp_path / "c.json")]
    done = subprocess.run([sys.executable, "-c", BASE_INSTALL, *words], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    content = json.loads((tmp_path / "c.json").read_text())
    judged = {row["feature"]: row["verdict"] for row in content["trivial_features"]}
    assert judged["bytes"] == "tells the label"
    assert not {"width", "codec", "bytes_per_pixel"} & set(judged)
    assert {each["kind"] for each in content["findings"]} == {"same_bytes", "shared_subject", "trivial_feature"}
    (note,) = [note for note in content["notes"] if "not installed" in note]
    assert "codecs" in note
    assert "pip install -e '.[train]'" in note
    assert note in done.stdout
