"""Celeb-DF v2: interviews of celebrities from YouTube, and face swaps between them.

Source: https://github.com/yuezunli/celeb-deepfakeforensics; by form from the authors (data/celeb_df_v2.md).
Licence: the authors' terms of use, which the form shows.
Counts: 590 + 300 real, 5,639 fake; the official test list has 518 = 178 real + 340 fake.
Citation: Li et al., Celeb-DF: A Large-scale Challenging Dataset for DeepFake Forensics, CVPR 2020.

Layout::

    Celeb-real/id0_0000.mp4             id<person>_<clip>
    YouTube-real/00000.mp4              further people, without a number
    Celeb-synthesis/id0_id1_0000.mp4    id<target>_id<source>_<clip>: the face of the source on the target's clip
    List_of_testing_videos.txt          "1 YouTube-real/00170.mp4": here 1 means REAL and 0 means FAKE

The list has no header and its last line may lack its newline. What it does not name is train; there is no validation
split.

How it is read: ids are the paths of the list, ``Celeb-synthesis/id0_id1_0000.mp4``, however the folders are spelt
here. ``source_id`` is the real twin, ``subject_id`` the target, ``donor_id`` the person whose face was put there.
Validation is carved out of train: whole groups of people who were swapped with each other where that comes near 15 %;
else by target alone, and then the report says so. Train and test may share people: that is up to the official list.
``unmask.datasets.celeb_df`` does it, for this release and the first.
"""

from __future__ import annotations

from pathlib import Path

from unmask.datasets import celeb_df
from unmask.datasets.base import About, Adapter, Options, Row
from unmask.datasets.report import Report

COUNTS = {"Celeb-real": 590, "YouTube-real": 300, "Celeb-synthesis": 5639}
LISTED = 518


def read(root: Path, options: Options, report: Report) -> list[Row]:
    """The rows of the three folders, as far as they are there."""
    return celeb_df.read(root, options, report, COUNTS, LISTED)


ADAPTER = Adapter(
    name="celeb_df_v2",
    title="Celeb-DF v2",
    layout=celeb_df.LAYOUT,
    about=About(("video",), 890, 5639, 59, "the makers' terms of use", celeb_df.ACCESS),
    read=read,
    options=frozenset({"splits"}),
)
