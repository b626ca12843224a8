"""Videos to stored face crops on one core: unmask beside what others do, and beside decoding alone.

    python benchmarks/preparation.py CLIPS_FOLDER [--clips 5] [--repeats 3] [--frames 32] [--only WAY...]

CLIPS_FOLDER holds real videos. Those of fewer than 1080 pixels on the shorter side, best of 480p, are measured as they
are; enlarged until that side has 1080 pixels (bicubic, H.264 at rate factor 23); and so enlarged and played forth and
back up to 300 frames. Larger ones are measured as they are, apart.

Everything runs in one process that is pinned to one core, each library with one thread; models are loaded before. All
ways are given the same evenly spaced frames, and take each clip in turn. Two of the ways need packages that unmask does
not; facenet-pytorch asks for an old torch and works with the present one. Put them into a folder of their own:

    python -m pip install --no-deps --target FOLDER facenet-pytorch dlib-bin
    PYTHONPATH=FOLDER python benchmarks/preparation.py CLIPS_FOLDER

What is absent is left out, and the page says so. Prints Markdown.
"""

from __future__ import annotations

import argparse
import importlib
import shutil
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import chain, cycle, islice
from pathlib import Path
from statistics import median
from typing import Any
from unittest.mock import patch

import av
import cv2
import numpy as np
import polars as pl
from measuring import on_one_core, spread, table, told, versions
from PIL import Image

from unmask.faces import finding
from unmask.faces import prepare as preparing
from unmask.faces.centerface import CenterFace
from unmask.faces.face import intersection_over_union
from unmask.faces.prepare import default_settings, faces_of_file, prepare
from unmask.faces.store import StoreWriter
from unmask.media.frame import Frame, evenly_spaced
from unmask.media.kinds import media_kind
from unmask.media.sampling import sample
from unmask.media.video import VideoReader

#: Shorter side of an enlarged clip, in pixels; its H.264 rate factor; frames of a prolonged one.
SHORTER, CRF, LONG = 1080, 23, 300
#: A box that shares this much with one that the reference finds is in the right place.
RIGHT = 0.4
#: Longer side, in pixels, of the frames in which the reference looks for faces.
REFERENCE = 640


@dataclass(frozen=True)
class Found:
    """What one way made of one clip.

    Attributes:
        looked: gives the indices of the frames in which faces were looked for.
        boxes: for each crop the frame's index and left, top, right, bottom; None from a way that looks for none.
    """

    looked: Callable[[], Sequence[int]]
    boxes: list[tuple[int, np.ndarray]] | None


#: A way takes a clip, the indices of the frames that are wanted, and a new folder for its crops.
Way = Callable[[Path, list[int], Path], Found]


def unmask(sampling: str) -> Way:
    """What ``unmask prepare`` does with each file; every face is kept, as the others do."""

    def way(clip: Path, indices: list[int], out: Path) -> Found:
        settings = default_settings(frames=len(indices), tracks=8, sampling=sampling)
        rows = faces_of_file(str(clip), "video", settings)
        StoreWriter(out, settings).add([{"id": clip.name} | row for row in rows])
        boxes = [(row["frame"], np.array(row["box"])) for row in rows if row["reason"] is None]
        return Found(lambda: [frame.index for frame in sample(clip, "video", len(indices), sampling=sampling)], boxes)

    return way


def selimsef() -> Way:
    """As selimsef/dfdc_deepfake_challenge: MTCNN on half-size frames, crops with a third around the face as PNG.

    preprocessing/face_detector.py and extract_crops.py, joined to one pass over the video; only the frames that are
    wanted are retrieved. There every frame was searched, and the video read once more for the crops.
    """
    from facenet_pytorch import MTCNN

    detector = MTCNN(margin=0, thresholds=[0.85, 0.95, 0.95], device="cpu")

    def way(clip: Path, indices: list[int], out: Path) -> Found:
        frames = dict(_grabbed(clip, indices))
        whole = [Image.fromarray(cv2.cvtColor(frame, cv2.COLOR_BGR2RGB)) for frame in frames.values()]
        half = [picture.resize((picture.width // 2, picture.height // 2)) for picture in whole]
        found, *_ = detector.detect(half, landmarks=False)
        boxes = [
            (index, np.array([int(side * 2) for side in box]))
            for index, seen in zip(frames, found, strict=True)
            for box in (seen if seen is not None else ())
        ]
        for number, (index, (left, top, right, bottom)) in enumerate(boxes):
            down, across = (bottom - top) // 3, (right - left) // 3
            rows, columns = slice(max(top - down, 0), bottom + down), slice(max(left - across, 0), right + across)
            cv2.imwrite(str(out / f"{index}_{number}.png"), frames[index][rows, columns])
        return Found(lambda: list(frames), boxes)

    return way


def deepfakebench() -> Way:
    """As SCLBD/DeepfakeBench, preprocessing/preprocess.py: every frame read; dlib's HOG detector, upsampled once.

    Only the largest face is kept. The landmarks, their file, and the turning by them are left out, in its favour; the
    crop is 256 pixels, 1.3 times as wide as the box.
    """
    import dlib

    detector = dlib.get_frontal_face_detector()

    def way(clip: Path, indices: list[int], out: Path) -> Found:
        boxes = []
        capture, wanted = cv2.VideoCapture(str(clip)), set(indices)
        for index in range(indices[-1] + 1):
            there, frame = capture.read()
            if not there:
                break
            if index not in wanted:
                continue
            faces = detector(cv2.cvtColor(frame, cv2.COLOR_BGR2RGB), 1)
            if not faces:
                continue
            face = max(faces, key=lambda face: face.width() * face.height())
            boxes.append((index, np.array([face.left(), face.top(), face.right(), face.bottom()])))
            side = round(face.width() * 1.3)
            crop = cv2.getRectSubPix(frame, (side, side), (face.center().x, face.center().y))
            cv2.imwrite(str(out / f"{index:03d}.png"), cv2.resize(crop, (256, 256)))
        return Found(lambda: indices, boxes)

    return way


def decord_alone() -> Way:
    """Decoding to RGB, nothing else."""
    import torch  # noqa: F401  decord breaks a torch that is imported after it

    decord = importlib.import_module("decord")

    def way(clip: Path, indices: list[int], out: Path) -> Found:
        decord.VideoReader(str(clip), ctx=decord.cpu(0), num_threads=1).get_batch(indices).asnumpy()
        return Found(lambda: indices, None)

    return way


def pyav_alone() -> Way:
    """Decoding to RGB, nothing else."""

    def way(clip: Path, indices: list[int], out: Path) -> Found:
        with av.open(str(clip)) as container:
            container.streams.video[0].codec_context.thread_count = 1
            pictures = enumerate(islice(container.decode(video=0), indices[-1] + 1))
            wanted = set(indices)
            kept = [picture.to_ndarray(format="rgb24") for index, picture in pictures if index in wanted]
        return Found(lambda: indices[: len(kept)], None)

    return way


#: Key to name on the page, what makes the way, and the package that it needs.
WAYS: dict[str, tuple[str, Callable[[], Way], str]] = {
    "even": ("unmask, evenly spaced frames", lambda: unmask("even"), "unmask"),
    "reference": ("unmask, nearest reference frames", lambda: unmask("reference"), "unmask"),
    "mtcnn": ("OpenCV `grab`, MTCNN on half-size frames, PNG", selimsef, "facenet_pytorch"),
    "dlib": ("OpenCV `read`, dlib HOG upsampled once, PNG", deepfakebench, "dlib"),
    "decord": ("decord `get_batch`: decoding alone", decord_alone, "decord"),
    "pyav": ("PyAV to RGB: decoding alone", pyav_alone, "av"),
}


def _grabbed(clip: Path, indices: Sequence[int]) -> Iterator[tuple[int, np.ndarray]]:
    """Frames as OpenCV gives them, BGR; those between are decoded and not converted."""
    capture, wanted = cv2.VideoCapture(str(clip)), set(indices)
    for index in range(indices[-1] + 1):
        if not capture.grab():
            return
        if index in wanted:
            there, frame = capture.retrieve()
            if there:
                yield index, frame


def make_ways(keys: Sequence[str]) -> dict[str, Way]:
    """Those of the ways whose packages are here; it is printed which are not."""
    made = {}
    for key in keys:
        name, make, package = WAYS[key]
        try:
            made[key] = make()
        except ImportError as error:
            print(f"Left out: {name}. {package} is not installed here ({error}).\n")
    return made


def enlarge(clip: Path, target: Path, *, frames: int | None = None) -> None:
    """The clip with its shorter side brought to ``SHORTER``; forth and back up to ``frames`` frames, if given."""
    reader = VideoReader(clip)
    images = [frame.rgb() for frame in reader]
    height, width = images[0].shape[:2]
    scale = SHORTER / min(height, width)
    size = tuple(round(side * scale / 2) * 2 for side in (width, height))
    order = chain(range(len(images)), range(len(images) - 2, 0, -1)) if frames else range(len(images))
    with av.open(str(target), "w") as container:
        stream = container.add_stream("libx264", rate=round(reader.info.fps) or 25)
        (stream.width, stream.height), stream.pix_fmt, stream.options = size, "yuv420p", {"crf": str(CRF)}
        for place in islice(cycle(order), frames) if frames else order:
            image = cv2.resize(images[place], size, interpolation=cv2.INTER_CUBIC)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        container.mux(stream.encode(None))


def make_sets(clips: Sequence[Path], number: int, scratch: Path) -> dict[str, list[Path]]:
    """The kinds of clips, ``number`` of each at most, each under what it is called on the page."""
    sides = {clip: min(info.width, info.height) for clip in clips if (info := VideoReader(clip).info)}
    filmed = [clip for clip, side in sides.items() if side >= SHORTER][:number]
    clips = [clip for clip, side in sides.items() if side < SHORTER][:number]
    sets: dict[str, list[Path]] = {"as they are": clips, "enlarged": [], f"enlarged, {LONG} frames": []}
    for name, frames in (("enlarged", None), (f"enlarged, {LONG} frames", LONG)):
        folder = scratch / name.replace(", ", "-").replace(" ", "-")
        folder.mkdir()
        for clip in clips:
            told(f"making {clip.stem}, {name}")
            sets[name].append(folder / f"{clip.stem}.mp4")
            enlarge(clip, sets[name][-1], frames=frames)
    sets[f"filmed with {SHORTER} pixels or more"] = filmed
    return {name: members for name, members in sets.items() if members}


@contextmanager
def new_folder() -> Iterator[Path]:
    """A folder for what one way makes of one clip; its removal is nobody's time."""
    folder = Path(tempfile.mkdtemp(prefix="unmask-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


def contest(
    ways: dict[str, Way], clips: Sequence[Path], count: int, repeats: int
) -> tuple[dict[str, list[float]], dict[str, list[Found]]]:
    """For each way the seconds a clip of each repeat, and what it found in each clip."""
    seconds: dict[str, list[float]] = {key: [0.0] * repeats for key in ways}
    found: dict[str, list[Found]] = {key: [] for key in ways}
    for repeat in range(repeats):
        for clip in clips:
            indices = evenly_spaced(len(VideoReader(clip)), count)
            for key, way in ways.items():
                with new_folder() as out:
                    start = time.perf_counter()
                    made = way(clip, indices, out)
                    taken = time.perf_counter() - start
                told(f"{clip.stem}, {key}: {taken:.2f} s (run {repeat + 1} of {repeats})")
                seconds[key][repeat] += taken / len(clips)
                if repeat == 0:
                    found[key].append(made)
    return seconds, found


def whole_command(clips: Sequence[Path], count: int) -> float:
    """Seconds a clip of ``prepare`` on all of them, with the start of its worker process."""
    manifest = pl.DataFrame(
        [{"id": clip.name, "path": clip.name, "media": "video", "root": str(clip.parent)} for clip in clips]
    )
    with new_folder() as out:
        start = time.perf_counter()
        prepare(manifest, out / "store", default_settings(frames=count, tracks=8), workers=1)
        return (time.perf_counter() - start) / len(clips)


class Reference:
    """The faces that CenterFace finds in each whole frame, shrunk to 640 pixels."""

    def __init__(self) -> None:
        self._detector = CenterFace()
        self._boxes: dict[tuple[Path, int], list[np.ndarray]] = {}

    def boxes(self, clip: Path, indices: Sequence[int]) -> dict[int, list[np.ndarray]]:
        """The boxes in each of these frames, the surest first."""
        new = sorted({index for index in indices if (clip, index) not in self._boxes})
        for frame in VideoReader(clip).frames(new) if new else ():
            faces = self._detector.detect([frame.rgb()], longest=REFERENCE)[0]
            self._boxes[clip, frame.index] = [face.box for face in faces]
        return {index: self._boxes[clip, index] for index in indices}

    def compare(self, clips: Sequence[Path], found: Sequence[Found]) -> list[str]:
        """Faces found; those in the right place; what was found of the reference's, and of each frame's surest."""
        counts = np.zeros(6, dtype=int)
        for clip, one in zip(clips, found, strict=True):
            if one.boxes is None:
                return [""] * 4
            for index, boxes in self.boxes(clip, one.looked()).items():
                mine = [box for place, box in one.boxes if place == index]
                right = sum(_meets(box, boxes) for box in mine)
                met = [_meets(box, mine) for box in boxes]
                counts += [len(mine), right, sum(met), len(met), sum(met[:1]), len(met[:1])]
        number, right, met, there, surest_met, surest = counts
        return [str(number), str(right), f"{met} of {there}", f"{surest_met} of {surest}"]


def _meets(box: np.ndarray, others: Sequence[np.ndarray]) -> bool:
    return bool(others) and bool(intersection_over_union(box, np.stack(others)).max() >= RIGHT)


class Watch:
    """Seconds in the steps of ours, each without the steps inside it; all that a close look does is the close look."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = defaultdict(float)
        self._open: list[str] = []
        self._since = 0.0

    def watched(self, step: Callable[[dict[str, Any]], str], function: Callable[..., Any]) -> Callable[..., Any]:
        """The function, with its time told to the step that its keywords belong to."""

        def timed(*words: Any, **named: Any) -> Any:
            self._turn()
            self._open.append(CLOSE if CLOSE in self._open else step(named))
            try:
                return function(*words, **named)
            finally:
                self._turn()
                self._open.pop()

        return timed

    def _turn(self) -> None:
        now = time.perf_counter()
        if self._open:
            self.seconds[self._open[-1]] += now - self._since
        self._since = now


CLOSE, REST = "close looks", "tracks, and all else"
#: The steps, in the order of the page; and what in the code is which.
DECODING, COLOURS, SHRUNK = "decoding", "colours of whole frames", "colours of shrunk frames"
WHOLE, CUTTING, ENCODING, WRITING = "whole looks", "cutting", "encoding JPEG", "writing"
STEPS = (DECODING, COLOURS, SHRUNK, WHOLE, CLOSE, CUTTING, ENCODING, WRITING, REST)
WATCHED: tuple[tuple[Any, str, Callable[[dict[str, Any]], str]], ...] = (
    (VideoReader, "__init__", lambda _: DECODING),
    (VideoReader, "evenly_spaced", lambda _: DECODING),
    (VideoReader, "reference_frames", lambda _: DECODING),
    (Frame, "rgb", lambda named: SHRUNK if named.get("longest") else COLOURS),
    (CenterFace, "detect", lambda _: WHOLE),
    (finding, "look_closer", lambda _: CLOSE),
    (finding, "cut", lambda _: CUTTING),
    (preparing, "encode_picture", lambda _: ENCODING),
    (StoreWriter, "__init__", lambda _: WRITING),
    (StoreWriter, "add", lambda _: WRITING),
)


def watch(way: Way, clips: Sequence[Path], count: int) -> dict[str, float]:
    """Seconds a clip of each step of one of our ways."""
    watcher = Watch()
    wanted = [evenly_spaced(len(VideoReader(clip)), count) for clip in clips]
    with ExitStack() as patches:
        for owner, name, step in WATCHED:
            patches.enter_context(patch.object(owner, name, watcher.watched(step, getattr(owner, name))))
        for clip, indices in zip(clips, wanted, strict=True):
            with new_folder() as out:
                watcher.watched(lambda _: REST, way)(clip, indices, out)
    return {step: watcher.seconds[step] / len(clips) for step in STEPS}


def show_steps(ways: dict[str, Way], clips: Sequence[Path], count: int, repeats: int) -> None:
    """Print what our ways spend their time on."""
    runs: dict[str, list[dict[str, float]]] = {key: [] for key in ways}
    for _ in range(repeats):
        for key, way in ways.items():
            runs[key].append(watch(way, clips, count))
    rows = []
    totals = {key: median(sum(run.values()) for run in made) for key, made in runs.items()}
    for step in STEPS:
        middles = {key: median(run[step] for run in made) for key, made in runs.items()}
        rows.append([step, *(f"{each:.3f} ({each / totals[key]:.0%})" for key, each in middles.items())])
    rows.append(["all", *(f"{total:.3f}" for total in totals.values())])
    table(["seconds a clip", *(WAYS[key][0] for key in ways)], rows)


def show_contest(ways: dict[str, Way], clips: Sequence[Path], count: int, repeats: int, judge: Reference) -> None:
    """Print who takes how long and finds what."""
    seconds, found = contest(ways, clips, count, repeats)
    baseline = median(next(iter(seconds.values())))
    rows = [
        [WAYS[key][0], spread(runs), f"{median(runs) / baseline:.2f}", *judge.compare(clips, found[key])]
        for key, runs in seconds.items()
    ]
    whole = [whole_command(clips, count) for _ in range(repeats)]
    rows.append(
        ["`prepare()`, with the start of its worker", spread(whole), f"{median(whole) / baseline:.2f}", "", "", ""]
    )
    heads = ["way", "seconds a clip", "times the first", "faces", "in the right place", "of all the reference's"]
    table([*heads, "of each frame's surest"], rows)


def described(clips: Sequence[Path]) -> str:
    """Number, size in pixels and length of clips."""
    infos = [VideoReader(clip) for clip in clips]
    sizes = sorted({f"{reader.info.width} × {reader.info.height}" for reader in infos})
    lengths = sorted(map(len, infos))
    return f"{len(clips)} clips of {lengths[0]} to {lengths[-1]} frames, {', '.join(sizes)}"


def main(folder: Path, number: int, repeats: int, count: int, keys: Sequence[str]) -> None:
    """Print the tables."""
    clips = [path for path in sorted(folder.iterdir()) if media_kind(path) == "video"]
    if not clips:
        raise SystemExit(f"there is no video in {folder}")
    cv2.setNumThreads(1)
    ways, judge = make_ways(keys), Reference()
    print(f"{count} frames of each clip, {repeats} runs. {versions(['facenet-pytorch', 'dlib-bin', 'decord2'])}.\n")
    ours = {key: ways[key] for key in ways if WAYS[key][2] == "unmask"}
    with tempfile.TemporaryDirectory(prefix="unmask-") as scratch:
        for name, members in make_sets(clips, number, Path(scratch)).items():
            print(f"### Clips {name}: {described(members)}\n")
            for way in ways.values():  # whatever is only done at a first call
                with new_folder() as out:
                    way(members[0], [0, 1], out)
            show_contest(ways, members, count, repeats, judge)
            show_steps(ours, members, count, repeats)


if __name__ == "__main__":
    on_one_core()
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", metavar="CLIPS_FOLDER", type=Path)
    parser.add_argument("--clips", type=int, default=5)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--frames", type=int, default=32)
    parser.add_argument("--only", nargs="+", choices=WAYS, default=list(WAYS), metavar="WAY", help=", ".join(WAYS))
    given = parser.parse_args()
    main(given.folder, given.clips, given.repeats, given.frames, given.only)
