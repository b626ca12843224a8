"""Look-alikes: between splits, under two labels, between manifests."""

from __future__ import annotations

import shutil
from pathlib import Path

import cv2
import numpy as np
import polars as pl
import pytest

from tests.datasets.test_audit_files import write_rows
from tests.fakes.media import make_clip, make_picture, noise
from unmask.datasets.audit import audit
from unmask.datasets.audit.alike import NEAR, _Hashes, _near, find_near_duplicates
from unmask.media.encode import encode_jpeg, write_video
from unmask.media.video import VideoReader


def encode_again(clip: Path, copy: Path, *, size: tuple[int, int] = (160, 120), crf: int = 32) -> None:
    """The same clip, of another size and quality."""
    copy.parent.mkdir(parents=True, exist_ok=True)
    write_video(copy, [cv2.resize(frame.rgb(), size) for frame in VideoReader(clip)], fps=25, crf=crf)


def write_frames(clip: Path, folder: Path) -> None:
    """A clip's frames as pictures."""
    folder.mkdir(parents=True)
    for frame in VideoReader(clip):
        (folder / f"{frame.index}.jpg").write_bytes(encode_jpeg(frame.rgb(), 60))


def alike(manifest: Path, *more: Path) -> list:
    """The findings of look-alikes."""
    findings = audit([manifest, *more], workers=1).findings
    return [finding for finding in findings if finding.kind == "near_duplicate"]


def test_a_video_encoded_again_is_found_and_others_are_not(tmp_path):
    root = tmp_path / "data"
    for number in range(12):
        make_clip(root / f"{number}.mp4", seed=number, frames=9, width=128, height=96)
    encode_again(root / "0.mp4", root / "again.mp4")
    write_frames(root / "1.mp4", root / "frames")
    rows = [(f"{number}.mp4", "video", 0, ("train", "test")[number % 2]) for number in range(12)]
    (finding,) = alike(
        write_rows(root, *rows, ("again.mp4", "video", 0, "test"), ("frames", "video", 0, "train")),
    )
    assert finding.count == 2
    assert set(finding.where) == {"0.mp4 ~ again.mp4", "frames ~ 1.mp4"}
    assert finding.what == "videos of test look like one of train: 2 of them, in 2 pairs"


def test_two_of_three_frames_must_look_alike(tmp_path):
    root = tmp_path / "data"
    for number in range(2):
        (root / f"{number}").mkdir(parents=True)
    for name, seeds in (("one", "abc"), ("first", "axy"), ("twice", "zbc"), ("moved", "cab")):
        for number, seed in enumerate(seeds):
            make_picture(root / name / f"{number}.jpg", seed=seed)
    rows = [(name, "video", 0, "test") for name in ("first", "twice", "moved")]
    (finding,) = alike(write_rows(root, ("one", "video", 0, "train"), *rows))
    assert finding.where == ("one ~ twice",)


def test_a_fake_and_its_twin_may_look_alike_in_one_split_alone(tmp_path):
    root = tmp_path / "data"
    make_picture(root / "real.jpg", seed=1)
    forged = noise(1)
    forged[20:28, 24:32] = 128  # a little of it
    (root / "fake.jpg").write_bytes(encode_jpeg(forged, 90))
    rows = ("real.jpg", "image", 0, "train"), ("fake.jpg", "image", 1, "train")
    assert alike(write_rows(root, *rows, source_id=["1", "1"])) == []
    assert alike(write_rows(root, *rows, subject_id=["ann", "ann"])) == []
    (unknown,) = alike(write_rows(root, *rows))
    assert unknown.where == ("real.jpg ~ fake.jpg",)
    assert "source_id" in unknown.next_step
    assert len(alike(write_rows(root, *reversed(rows), source_id=["1", "2"]))) == 1
    torn = rows[0], ("fake.jpg", "image", 1, "test")
    (between,) = alike(write_rows(root, *torn, source_id=["1", "1"]))
    assert between.what == "pictures of test look like one of train: 1 of them, in 1 pair"


def test_two_fakes_of_one_split_may_look_alike(tmp_path):
    for name in ("a.jpg", "b.jpg"):
        make_picture(tmp_path / "data" / name, seed=1, quality=80 + len(name))
    rows = ("a.jpg", "image", 1, "train"), ("b.jpg", "image", 1, "train"), ("b.jpg", "image", None, "train")
    assert alike(write_rows(tmp_path / "data", *rows[:2])) == []


def test_flat_frames_look_like_nothing_and_are_counted(tmp_path):
    root = tmp_path / "data"
    root.mkdir()
    black, scene = np.zeros((48, 64, 3), np.uint8), [noise(name) for name in "ab"]
    rows = []
    for number, split in enumerate(("train", "test")):
        (root / f"{split}.jpg").write_bytes(encode_jpeg(black + number, 90))
        write_video(root / f"dark-{split}.mp4", [black + number] * 6, fps=25, crf=30)
        # It begins black, as many do; what is left to compare differs.
        write_video(root / f"fade-{split}.mp4", [black] * 2 + [scene[number]] * 4, fps=25, crf=30)
        rows += [
            (f"{split}.jpg", "image", 0, split),
            (f"dark-{split}.mp4", "video", 0, split),
            (f"fade-{split}.mp4", "video", 0, split),
        ]
    outcome = audit([write_rows(root, *rows)], workers=1)
    assert {finding.kind for finding in outcome.findings} == {"one_class"}
    assert "2 pictures are of nearly one colour, and were not compared by their looks" in outcome.notes
    (told,) = [note for note in outcome.notes if note.startswith("8 of the frames")]
    assert told.endswith("2 videos were therefore not compared by their looks")


def test_look_alikes_of_several_manifests(tmp_path):
    roots = tmp_path / "one", tmp_path / "two"
    for root in roots:
        for name in ("real.jpg", "fake.jpg"):
            make_picture(root / name, seed=f"{root.name}{name}")
    make_clip(roots[0] / "a.mp4", seed="clip", width=128, height=96)
    encode_again(roots[0] / "a.mp4", roots[1] / "b.mp4")
    still = ("real.jpg", "image", 0, "train"), ("fake.jpg", "image", 1, "train")
    one = write_rows(roots[0], *still, ("a.mp4", "video", 0, "train"), name="one.parquet")
    two = write_rows(roots[1], *still, ("b.mp4", "video", 0, "train"), name="two.parquet")
    assert alike(one) == alike(two) == []
    (finding,) = alike(one, two)
    assert finding.what == "videos of two.parquet look like one of the same split of one.parquet: 1 of them, in 1 pair"
    assert finding.where == ("one.parquet: a.mp4 ~ two.parquet: b.mp4",)
    two = write_rows(roots[1], *still, ("b.mp4", "video", 0, "test"), name="two.parquet")
    assert "videos of test look like one of train" in alike(one, two)[0].what


@pytest.mark.parametrize(("frames", "needed"), [(1, 1), (3, 2)])
def test_the_pairs_are_those_of_a_full_comparison(frames, needed):
    random = np.random.default_rng(frames)
    ones = random.integers(0, 2**64, (frames, 200), dtype=np.uint64)
    others = np.concatenate((ones[:, :120], random.integers(0, 2**64, (frames, 50), dtype=np.uint64)), axis=1)
    for place in np.ndindex(others.shape):
        for bit in random.choice(64, random.integers(0, 2 * NEAR + 1), replace=False):
            others[place] ^= np.uint64(1 << int(bit))
    known = random.random(ones.shape) > 0.1, random.random(others.shape) > 0.1
    found = [
        pair
        for parts in _near(_Hashes(ones, known[0]), _Hashes(others, known[1]), needed)
        for pair in zip(*(part.tolist() for part in parts), strict=True)
    ]
    expected = []
    for one, other in np.ndindex(200, 170):
        like = [
            bool(known[0][frame, one] and known[1][frame, other])
            and (int(ones[frame, one]) ^ int(others[frame, other])).bit_count() <= NEAR
            for frame in range(frames)
        ]
        if sum(like) >= needed:
            expected.append((one, other, like.index(True)))
    assert len(expected) > 20
    assert sorted(found) == expected


def looked_at(hashes: np.ndarray, *, seed: int = 0) -> pl.DataFrame:
    """Rows as ``files.look`` gives them for pictures with these hashes, (n,) uint64."""
    random, count = np.random.default_rng(seed), len(hashes)
    unknown = dict.fromkeys(("fault", "source_id", "subject_id", "digest", "split_rule"), pl.lit(None, pl.String))
    rows = pl.DataFrame(
        {
            "path": [f"{number}.jpg" for number in range(count)],
            "split": random.choice(["train", "validation", "test"], count),
            "label": random.integers(0, 2, count),
            "hashes": pl.Series(hashes[:, None].tolist(), dtype=pl.List(pl.UInt64)),
        }
    )
    constant = {"root": pl.lit("/d"), "media": pl.lit("image"), "manifest": pl.lit("m"), "dataset": pl.lit("d")}
    return rows.with_columns(place="path", **constant, **unknown)


def test_many_pictures_of_one_scene_cost_little_memory_and_are_counted():
    """A thousand frames of each of ten scenes: tens of millions of pairs, of which some are kept."""
    scenes = np.random.default_rng(1).integers(0, 2**64, 10, dtype=np.uint64)
    rows = looked_at(np.repeat(scenes, 1000))
    findings, pairs, notes = find_near_duplicates(rows)
    assert notes == []
    assert len(findings) == 4  # three pairs of splits, and the labels
    parts = rows.with_columns(scene=pl.int_range(pl.len()) // 1000).group_by("scene").agg(
        train=(pl.col("split") == "train").sum(), test=(pl.col("split") == "test").sum()
    )  # fmt: skip
    told = next(finding for finding in findings if finding.what.startswith("pictures of test look like one of train"))
    assert told.count == (parts["train"] * parts["test"]).sum()
    assert len({side.path for pair in pairs for side in (pair.first, pair.second)}) > 2 * 24


def test_what_is_shown_of_a_finding_are_different_files(tmp_path):
    root = tmp_path / "data"
    rows = []
    for scene in range(3):
        make_picture(root / f"train{scene}.jpg", seed=scene)
        rows.append((f"train{scene}.jpg", "image", 0, "train"))
        for copy in range(3):
            shutil.copyfile(root / f"train{scene}.jpg", root / f"test{scene}{copy}.jpg")
            rows.append((f"test{scene}{copy}.jpg", "image", 0, "test"))
    (finding,) = alike(write_rows(root, *rows))
    assert (finding.count, len(finding.where)) == (9, 3)
