from __future__ import annotations

from pathlib import PurePath

import pytest

from unmask.media.kinds import media_kind


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("a.mp4", "video"),
        ("A.MP4", "video"),
        ("a.b.webm", "video"),
        ("x/y/a.JPeG", "image"),
        ("a.png", "image"),
        ("a.flac", "audio"),
        (".a.jpg", None),
        ("._a.mp4", None),
        ("a.txt", None),
        ("mp4", None),
        ("a.jpg.part", None),
    ],
)
def test_kinds(name, kind):
    assert media_kind(name) == kind
    assert media_kind(PurePath(name)) == kind
