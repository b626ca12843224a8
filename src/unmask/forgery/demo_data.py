"""The demo's dataset: real portraits and clips, and forgeries made of them, laid out like DFDC.

Each real person's file is a scene. Its forgeries are made of the same pixels, keep its size, and are recorded by the
same camera, so that only the forged face tells them apart. The test split holds a manipulation, ``swap_poisson``, that
is in no other split.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

import cv2
import numpy as np
from rich.progress import Progress

from unmask.faces.centerface import CenterFace
from unmask.faces.face import Face
from unmask.faces.tracking import track
from unmask.forgery.camera import LONGEST, Camera, draw_camera, hand_held, record_clip, record_picture, shrink
from unmask.forgery.masks import yaw
from unmask.forgery.people import Person, load_people
from unmask.forgery.self_blend import self_blend
from unmask.forgery.swap import swap_face
from unmask.media.image import read_image
from unmask.media.video import VideoReader
from unmask.tables.errors import MediaError
from unmask.tables.writing import write_text

#: The DFDC part, and so the split, in which each split's files lie.
PARTS = {"train": 0, "validation": 35, "test": 40}
METHODS = {
    "train": ("self_blend", "swap_alpha"),
    "validation": ("self_blend", "swap_alpha"),
    "test": ("self_blend", "swap_alpha", "swap_poisson"),
}
_CLIP_FRAMES = 24
_CLIPS = 9


#: File name to what ``metadata.json`` says of it.
Metadata = dict[str, dict[str, object]]


@dataclass(frozen=True)
class Scene:
    """What one or more files are made from.

    Attributes:
        person: whose head it is.
        frames: (H, W, 3) uint8 RGB; one for a picture.
        faces: the person's face in each frame.
        still: a clip that is to be made from one picture by moving the camera.
    """

    person: Person
    frames: list[np.ndarray]
    faces: list[Face]
    still: bool = False


def make_demo_data(
    folder: str | Path,
    *,
    seed: int = 0,
    portraits: int | None = None,
    workers: int | None = None,
    progress: Progress | None = None,
) -> None:
    """Make the dataset.

    Args:
        folder: gets ``dfdc_train_part_0`` (train), ``_35`` (validation), ``_40`` (test), each with its metadata.
        seed: of everything that is left to chance.
        portraits: use only so many portraits; None for all.
        workers: processes; None for one a processor.
        progress: where to show a bar.

    Raises:
        AssetError: the packages cannot be fetched.
    """
    people = load_people(seed, portraits=portraits)
    donors = _donors(people)
    bar = progress.add_task("forging", total=len(people)) if progress else None
    metadata: dict[str, Metadata] = defaultdict(dict)
    for part in PARTS.values():
        (Path(folder) / f"dfdc_train_part_{part}").mkdir(parents=True, exist_ok=True)
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        jobs = {
            pool.submit(_forge_person, person, donors[person.split], Path(folder), [seed, number]): person
            for number, person in enumerate(people)
        }
        for job in as_completed(jobs):
            person = jobs[job]
            metadata[person.split] |= job.result()
            if progress and bar is not None:
                progress.advance(bar)
    for split, part in PARTS.items():
        entries = dict(sorted(metadata[split].items()))
        write_text(json.dumps(entries, indent=1), Path(folder) / f"dfdc_train_part_{part}" / "metadata.json")


@dataclass(frozen=True)
class Donor:
    """A portrait whose face may be put on others.

    Attributes:
        person: whose.
        face: in the portrait's pixels.
        turn: see ``masks.yaw``.
        tone: (3,) mean Lab colour of the face.
    """

    person: Person
    face: Face
    turn: float
    tone: np.ndarray


def _donors(people: Sequence[Person]) -> dict[str, list[Donor]]:
    """The portraits of each split, with what is needed to choose among them."""
    found: dict[str, list[Donor]] = defaultdict(list)
    detector = CenterFace(threads=0)
    for person in people:
        if person.media == "image":
            image = read_image(person.path)
            faces = detector.detect([image], longest=320)[0]
            if faces:
                found[person.split].append(Donor(person, faces[0], yaw(faces[0].landmarks), _tone(image, faces[0])))
    return found


def _tone(image: np.ndarray, face: Face) -> np.ndarray:
    """Mean Lab colour between eyes and mouth."""
    low, high = face.landmarks.min(0).astype(int), face.landmarks.max(0).astype(int) + 1
    patch = image[max(low[1], 0) : high[1], max(low[0], 0) : high[0]]
    return cv2.cvtColor(patch, cv2.COLOR_RGB2LAB).reshape(-1, 3).mean(0) if patch.size else np.full(3, 128.0)


def _choose_donor(scene: Scene, donors: Sequence[Donor], rng: np.random.Generator) -> Donor:
    """One of the four donors that look the same way with the most similar skin."""
    face = scene.faces[len(scene.faces) // 2]
    turn, tone = yaw(face.landmarks), _tone(scene.frames[len(scene.frames) // 2], face)
    others = [donor for donor in donors if donor.person.name != scene.person.name]
    cost = [100 * abs(donor.turn - turn) + float(np.abs(donor.tone - tone).mean()) for donor in others]
    return others[int(rng.choice(np.argsort(cost)[:4]))]


def _forge_person(person: Person, donors: Sequence[Donor], folder: Path, seed: list[int]) -> Metadata:
    """Write all files of one person; give their metadata."""
    cv2.setNumThreads(1)
    rng = np.random.default_rng(seed)
    part = folder / f"dfdc_train_part_{PARTS[person.split]}"
    written: Metadata = {}
    for scene in _scenes(person, rng):
        camera = draw_camera(rng)
        motion = int(rng.integers(2**32))
        real = _record(scene.frames, scene, camera, motion, part, rng)
        written[real] = {"label": "REAL", "split": "train", "original": None, "subject_id": person.name}
        for method in _methods(scene, rng):
            donor = _choose_donor(scene, donors, rng)
            name = _record(_forge(scene, method, donor, rng), scene, camera, motion, part, rng)
            written[name] = {"label": "FAKE", "split": "train", "original": real, "subject_id": person.name}
            written[name] |= {"method": method, "donor_id": None if method == "self_blend" else donor.person.name}
    return written


def _methods(scene: Scene, rng: np.random.Generator) -> Sequence[str]:
    """All of the split's methods for a picture; one, by chance, for a clip, since clips cost more."""
    methods = METHODS[scene.person.split]
    if len(scene.frames) == 1 and not scene.still:
        return methods
    return [str(rng.choice([method for method in methods if method.startswith("swap")]))]


def _scenes(person: Person, rng: np.random.Generator) -> list[Scene]:
    """A portrait is a picture, and for two of three people a clip too; a video is cut into clips of two seconds."""
    if person.media == "image":
        image = shrink(read_image(person.path), LONGEST)
        faces = CenterFace().detect([image], longest=320)[0][:1]
        if not faces:
            return []
        picture = Scene(person, [image], faces)
        return [picture, Scene(person, [image], faces, still=True)] if rng.random() < 2 / 3 else [picture]
    try:
        read = VideoReader(person.path).evenly_spaced(_CLIPS * _CLIP_FRAMES)
    except MediaError:
        return []
    frames = [shrink(frame.rgb(), LONGEST) for frame in read]
    found = track(CenterFace().detect(frames, longest=320))[0]  # each shows one large face
    faces_at = dict(zip(found.frames, _steady(found.faces), strict=True))
    starts = range(0, len(frames) - _CLIP_FRAMES + 1, _CLIP_FRAMES)
    clips = [range(start, start + _CLIP_FRAMES) for start in starts]
    return [
        Scene(person, [frames[at] for at in clip], [faces_at[at] for at in clip])
        for clip in clips
        if all(at in faces_at for at in clip)
    ]


def _steady(faces: Sequence[Face]) -> list[Face]:
    """The same faces, landmarks averaged over three neighbouring frames: a swapped face must not tremble."""
    marks = np.stack([face.landmarks for face in faces])
    padded = np.concatenate([marks[:1], marks, marks[-1:]])
    smooth = (padded[:-2] + padded[1:-1] + padded[2:]) / 3
    return [Face(face.box, mark, face.confidence) for face, mark in zip(faces, smooth, strict=True)]


def _forge(scene: Scene, method: str, donor: Donor, rng: np.random.Generator) -> list[np.ndarray]:
    """The scene's frames with a forged face; chance falls the same way in each of them."""
    seed = int(rng.integers(2**32))
    picture = read_image(donor.person.path)
    frames = []
    for frame, face in zip(scene.frames, scene.faces, strict=True):
        same = np.random.default_rng(seed)
        if method == "self_blend":
            frames.append(self_blend(frame, face.landmarks, same)[0])
        else:
            frames.append(swap_face(method, frame, face.landmarks, picture, donor.face.landmarks, same))
    return frames


def _record(
    frames: list[np.ndarray], scene: Scene, camera: Camera, motion: int, part: Path, rng: np.random.Generator
) -> str:
    """Write one file under a name of ten letters, as DFDC's, and give the name."""
    letters = "".join(rng.choice(list("abcdefghijklmnopqrstuvwxyz"), 10))
    if scene.still:
        frames = hand_held(frames[0], _CLIP_FRAMES, np.random.default_rng(motion))
    if len(frames) == 1:
        record_picture(frames[0], camera, part / f"{letters}.jpg")
        return f"{letters}.jpg"
    record_clip(frames, camera, part / f"{letters}.mp4")
    return f"{letters}.mp4"
