"""Pictures: any common file to RGB, RGB to JPEG."""

from __future__ import annotations

import io
import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from unmask.tables.errors import MediaError

#: Pictures with more pixels than this are refused before they are unpacked.
MAX_PIXELS = 100_000_000


@dataclass(frozen=True)
class ImageInfo:
    """What a picture's header says.

    Attributes:
        width: pixels, as stored (before any EXIF rotation).
        height: pixels, as stored.
        format: the encoding, in Pillow's name: "JPEG", "PNG", ...
    """

    width: int
    height: int
    format: str


def _open(source: Path | io.BytesIO, name: str | Path) -> Image.Image:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            picture = Image.open(source)
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise MediaError(
            f"not a readable picture ({error})", reason="unreadable", where=name, next_step="replace or remove the file"
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
    picture = ImageOps.exif_transpose(picture)
    if picture.mode.startswith("I") or picture.mode == "F":
        values = np.asarray(picture, dtype=np.float64)
        top = 65535.0 if values.max(initial=0) > 255 else 255.0
        return Image.fromarray((values.clip(0, top) * (255.0 / top)).astype(np.uint8)).convert("RGB")
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
    info = ImageInfo(picture.width, picture.height, picture.format or "")
    _decode(picture, path)
    return info


def read_image(path: str | Path) -> np.ndarray:
    """Read a picture as people see it.

    Returns:
        (H, W, 3) uint8 RGB, upright; transparency shows white; of an animation, the first frame.

    Raises:
        MediaError: it cannot be read (``unreadable``) or is too large (``too_large``).
    """
    return _decode(_open(Path(path), path), path)


def decode_image(data: bytes) -> np.ndarray:
    """The same as ``read_image``, from the bytes of a file."""
    return _decode(_open(io.BytesIO(data), "bytes in memory"), "bytes in memory")


def _decode(picture: Image.Image, name: str | Path) -> np.ndarray:
    try:
        return np.asarray(_to_rgb(picture))
    except (OSError, ValueError, SyntaxError, EOFError, IndexError, Image.DecompressionBombError) as error:
        raise MediaError(
            f"the picture breaks off or is damaged ({error})",
            reason="unreadable",
            where=name,
            next_step="replace or remove the file",
        ) from error


def encode_jpeg(image: np.ndarray, quality: int) -> bytes:
    """JPEG bytes of an RGB picture, 4:2:0 chroma, no metadata.

    Args:
        image: (H, W, 3) uint8 RGB.
        quality: 1 to 100.
    """
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "JPEG", quality=quality, subsampling="4:2:0")
    return buffer.getvalue()
