"""Celeb-DF v1: the first release, with interviews of 13 celebrities from YouTube and face swaps between them.

Source: https://github.com/yuezunli/celeb-deepfakeforensics; by form from the authors (data/celeb_df_v1.md).
Licence: the authors' terms of use, which the form shows.
Counts: 158 + 250 real, 795 fake; there is an official test list.
Citation: Li et al., Celeb-DF: A Large-scale Challenging Dataset for DeepFake Forensics, CVPR 2020.

Layout: that of Celeb-DF v2::

    Celeb-real/id0_0000.mp4             id<person>_<clip>
    YouTube-real/00000.mp4              further people, without a number
    Celeb-synthesis/id0_id1_0000.mp4    id<target>_id<source>_<clip>: the face of the source on the target's clip
    List_of_testing_videos.txt          "1 YouTube-real/00170.mp4": here 1 means REAL and 0 means FAKE

How it is read: as ``unmask.datasets.celeb_df_v2``, by ``unmask.datasets.celeb_df``. Both releases give their files the
same names, so ids of the one say nothing about the other.
"""

from __future__ import annotations

from pathlib import Path

from unmask.datasets import celeb_df
from unmask.datasets.base import About, Adapter, Options, Row
from unmask.datasets.report import Report

COUNTS = {"Celeb-real": 158, "YouTube-real": 250, "Celeb-synthesis": 795}


def read(root: Path, options: Options, report: Report) -> list[Row]:
    """The rows of the three folders, as far as they are there."""
    return celeb_df.read(root, options, report, COUNTS, None)


ADAPTER = Adapter(
    name="celeb_df_v1",
    title="Celeb-DF v1",
    layout=celeb_df.LAYOUT,
    about=About(("video",), 408, 795, 13, "the makers' terms of use", celeb_df.ACCESS),
    read=read,
    options=frozenset({"splits"}),
)
