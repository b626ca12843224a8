from __future__ import annotations

from pathlib import Path, PurePath

import pytest

from unmask.media.kinds import count_endings, files_below, media_kind


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


def test_endings_are_counted_in_any_case():
    assert (
        count_endings(["a.jpg", "b/c.HEIC", PurePath("d.heic"), "noend", ".hidden"]) == ".heic 2, no ending 2, .jpg 1"
    )


def test_files_below_follows_links_but_not_in_circles(tmp_path):
    for name in ("a", "b/c", "b/.d"):
        (tmp_path / "data" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "data" / name).write_bytes(b"x")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "e").write_bytes(b"x")
    (tmp_path / "data" / "link").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "data" / "b" / "up").symlink_to(tmp_path / "data")
    (tmp_path / "data" / "nowhere").symlink_to(tmp_path / "absent")
    found = {path.relative_to(tmp_path / "data").as_posix() for path in files_below(tmp_path / "data")}
    assert found == {"a", "b/c", "b/.d", "link/e", "nowhere"}


def test_a_folder_that_is_not_there_is_an_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        list(files_below(Path(tmp_path / "absent")))
