"""Pictures: any common file to RGB."""

from __future__ import annotations

import io
import logging
import warnings
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError
from PIL.JpegImagePlugin import get_sampling

from unmask.tables.errors import MediaError

# Pillow logs some faults of files, and Python prints what is logged and not handled. Here they are raised instead.
logging.getLogger("PIL").addHandler(logging.NullHandler())

#: Pictures with more pixels than this are refused before they are unpacked.
MAX_PIXELS = 100_000_000

#: Pillow's number of a JPEG's colour sampling -> its name.
_COLOUR = {0: "4:4:4", 1: "4:2:2", 2: "4:2:0"}


@dataclass(frozen=True)
class ImageInfo:
    """What a picture's header says.

    Attributes:
        width: pixels, as stored (before any EXIF rotation).
        height: pixels, as stored.
        format: the encoding, in Pillow's name: "JPEG", "PNG", ...
        sampling: how pixels are stored: Pillow's mode and, of JPEG, how colour is sampled: "RGB 4:2:0", "RGBA", "L".
    """

    width: int
    height: int
    format: str
    sampling: str


def _open(source: Path | io.BytesIO, name: str | Path) -> Image.Image:
    try:
        if isinstance(source, Path) and not source.is_file():  # a pipe would block for ever
            raise MediaError("there is no such file", reason="missing", where=name, next_step="check the path")
        with warnings.catch_warnings():  # of large pictures and damaged tags: what matters is raised here
            warnings.simplefilter("ignore")
            picture = Image.open(source)
    except MediaError:
        raise
    except Image.DecompressionBombError as error:  # Pillow has a limit of its own
        raise MediaError(
            str(error).partition(",")[0], reason="too_large", where=name, next_step="shrink the picture"
        ) from error
    except Exception as error:  # Pillow's readers raise whatever a damaged header leads them to
        # Pillow would name the file again, or the place of its bytes in memory.
        detail = "no format that is known" if isinstance(error, UnidentifiedImageError) else error
        raise MediaError(
            f"not a readable picture ({detail})",
            reason="unreadable",
            where=name,
            next_step="replace or remove the file",
        ) from error
    if picture.width * picture.height > MAX_PIXELS:
        raise MediaError(
            f"{picture.width} x {picture.height} pixels are more than {MAX_PIXELS:,}",
            reason="too_large",
            where=name,
            next_step="shrink the picture",
        )
    return picture


def _to_rgb(picture: Image.Image) -> Image.Image:
    """Upright RGB of the first frame: EXIF rotation applied, transparency over white, 16-bit scaled down to 8."""
    picture.seek(0)
    picture.load()
    with suppress(Exception):  # damaged EXIF data is no reason to refuse a picture that can be seen
        picture = ImageOps.exif_transpose(picture)
    if picture.mode.startswith("I") or picture.mode == "F":
        values = np.nan_to_num(np.asarray(picture, dtype=np.float64))
        top = 65535.0 if picture.mode.startswith("I;16") or values.max(initial=0) > 255 else 255.0
        return Image.fromarray(np.rint(values.clip(0, top) * (255.0 / top)).astype(np.uint8)).convert("RGB")
    if picture.has_transparency_data:
        picture = picture.convert("RGBA")
        ground = Image.new("RGBA", picture.size, "white")
        ground.alpha_composite(picture)
        picture = ground
    return picture.convert("RGB")


def probe(path: str | Path) -> ImageInfo:
    """Read a picture's header, and decode it to be sure that it can be.

    Raises:
        MediaError: it cannot be read.
    """
    picture = _open(Path(path), path)
    info = _info(picture)
    _decode(picture, path)
    return info


def _info(picture: Image.Image) -> ImageInfo:
    colour = _COLOUR.get(get_sampling(picture)) if picture.format == "JPEG" else None
    sampling = f"{picture.mode} {colour}" if colour else picture.mode
    return ImageInfo(picture.width, picture.height, picture.format or "", sampling)


def read_image(path: str | Path) -> np.ndarray:
    """Read a picture as people see it.

    Returns:
        (H, W, 3) uint8 RGB, upright; transparency shows white; of an animation, the first frame.

    Raises:
        MediaError: it is not there (``missing``), cannot be read (``unreadable``) or is too large (``too_large``).
    """
    return _decode(_open(Path(path), path), path)


def decode_image(data: bytes, name: str | Path = "bytes in memory") -> np.ndarray:
    """The same as ``read_image``, from the bytes of a file, which errors call ``name``."""
    return _decode(_open(io.BytesIO(data), name), name)


def read_with_info(source: Path | bytes, name: str | Path = "bytes in memory") -> tuple[ImageInfo, np.ndarray]:
    """What ``probe`` and ``read_image`` give, for one decoding.

    Args:
        source: a file, or the bytes of one.
        name: what errors call the bytes.
    """
    name = source if isinstance(source, Path) else name
    picture = _open(source if isinstance(source, Path) else io.BytesIO(source), name)
    info = _info(picture)
    return info, _decode(picture, name)


def _decode(picture: Image.Image, name: str | Path) -> np.ndarray:
    try:
        with warnings.catch_warnings():  # as in _open
            warnings.simplefilter("ignore")
            return np.asarray(_to_rgb(picture))
    except Exception as error:  # as in _open
        raise MediaError(
            f"the picture breaks off or is damaged ({error})",
            reason="unreadable",
            where=name,
            next_step="replace or remove the file",
        ) from error
