"""Which files are media, told by their ending."""

from __future__ import annotations

from pathlib import PurePath

#: Ending, in lower case, to the manifest's ``media``.
KINDS = {
    **dict.fromkeys((".mp4", ".mov", ".avi", ".mkv", ".webm", ".m4v", ".mpg", ".mpeg"), "video"),
    **dict.fromkeys((".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff", ".gif"), "image"),
    **dict.fromkeys((".wav", ".flac", ".mp3", ".ogg", ".opus", ".m4a", ".aac"), "audio"),
}


def media_kind(path: str | PurePath) -> str | None:
    """Give "video", "image" or "audio"; None for any other file and for hidden ones."""
    name = PurePath(path).name
    return None if name.startswith(".") else KINDS.get(PurePath(name).suffix.lower())
