from __future__ import annotations

import numpy as np

from tests.fakes.media import noise
from unmask.media.encode import encode_jpeg, through_h264, through_jpeg, through_size, write_video
from unmask.media.image import decode_image


def loss(one: np.ndarray, other: np.ndarray) -> float:
    assert one.shape == other.shape
    assert one.dtype == other.dtype == np.uint8
    return float(np.abs(one.astype(int) - other).mean())


def test_jpeg_loses_more_the_lower_the_quality():
    image = noise(0)
    np.testing.assert_array_equal(through_jpeg(image, 30), decode_image(encode_jpeg(image, 30)))
    losses = [loss(image, through_jpeg(image, quality)) for quality in (95, 50, 5)]
    assert losses[0] < losses[1] < losses[2]


def test_h264_loses_more_the_higher_the_rate_factor():
    frames = [np.roll(noise(0), step, axis=1) for step in range(4)]
    losses = [loss(np.stack(frames), np.stack(through_h264(frames, crf=crf))) for crf in (5, 30, 50)]
    assert losses[0] < losses[1] < losses[2]


def test_size_loses_more_the_smaller():
    image = np.random.default_rng(0).integers(0, 256, (51, 63, 3), dtype=np.uint8)
    assert loss(image, through_size(image, 1.0)) == 0
    assert loss(image, through_size(image, 0.8)) < loss(image, through_size(image, 0.2))
    assert np.ptp(through_size(image, 0.001), axis=(0, 1)).max() == 0  # one pixel is left of it


def test_the_same_frames_give_the_same_bytes(tmp_path):
    """Several threads of the encoder gave up to five different files in thirty, one thread with mbtree six in 300."""
    frames = [np.roll(noise("one", width=320, height=240), step, axis=1) for step in range(10)]
    for number in range(30):
        write_video(tmp_path / f"{number}.mp4", frames, fps=25, crf=30)
    assert len({path.read_bytes() for path in tmp_path.iterdir()}) == 1
