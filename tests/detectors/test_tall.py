from __future__ import annotations

from typing import ClassVar

import pytest
import timm
import torch

from tests.detectors.contract import DetectorContract
from unmask.detectors import build
from unmask.detectors.tall import free_of_block, thumbnail


class TestTall(DetectorContract):
    name = "tall"
    arguments: ClassVar[dict[str, object]] = {
        "input_size": 32,
        "frames": 4,
        "width": 32,
        "depths": (1, 1, 1, 1),
        "window": 4,
        "block": 4,
        "drop_path": 0.0,
    }
    rate: ClassVar[float] = 0.003
    parameters: ClassVar[dict[str, int]] = {
        # Swin-B (Liu et al.'s code, 1,000 classes), whose tables of relative places have 13 x 13 rows a head; 27 x 27
        # in the first three stages here. A place for each frame; one logit.
        "tall": 87_768_224 - 1025 * 1000 + (27**2 - 13**2) * (2 * 4 + 2 * 8 + 18 * 16) + 4 * 128 + 1025
    }


def test_frames_lie_in_rows():
    clips = torch.rand(2, 4, 3, 5, 6)
    found = thumbnail(clips, 2)
    assert found.shape == (2, 3, 10, 12)
    for number, (row, column) in enumerate([(0, 0), (0, 1), (1, 0), (1, 1)]):
        cell = found[:, :, row * 5 : row * 5 + 5, column * 6 : column * 6 + 6]
        assert torch.equal(cell, clips[:, number])


def test_one_square_a_clip_is_masked():
    torch.manual_seed(0)
    free = free_of_block(torch.rand(64, 4, 3, 20, 24), 6)
    assert free.shape == (64, 1, 1, 20, 24)
    for mask in free[:, 0, 0]:
        rows, columns = (mask == 0).any(1).nonzero()[:, 0], (mask == 0).any(0).nonzero()[:, 0]
        for inside, length in ((rows, 20), (columns, 24)):
            assert len(inside) == inside[-1] - inside[0] + 1 <= 6
            assert len(inside) == 6 or inside[0] == 0 or inside[-1] == length - 1
        assert (mask == 0).sum() == len(rows) * len(columns)
    assert len({tuple(mask.flatten().tolist()) for mask in free[:, 0, 0]}) > 32


def test_it_is_masked_in_training_only():
    torch.manual_seed(0)
    detector = build("tall", **TestTall.arguments)
    clips = torch.rand(2, 4, 3, 32, 32)
    assert not torch.equal(detector.train()(clips), detector(clips))
    assert torch.equal(detector.eval()(clips), detector(clips))
    plain = build("tall", **{**TestTall.arguments, "block": 0}).train()
    assert torch.equal(plain(clips), plain(clips))


def test_it_is_timm_s_swin_on_the_thumbnail(tmp_path, monkeypatch):
    """With a smaller Swin, for speed."""
    monkeypatch.setattr("unmask.detectors.tall._NETWORK", "swin_tiny_patch4_window7_224")
    arguments = {"input_size": 112, "frames": 4, "width": 96, "depths": (2, 2, 6, 2)}
    torch.manual_seed(0)
    reference = timm.create_model("swin_tiny_patch4_window7_224", num_classes=0).eval()
    torch.save(reference.state_dict(), tmp_path / "w.pth")
    detector = build("tall", **arguments, window=7, weights=tmp_path / "w.pth").eval()
    clips = torch.rand(1, 4, 3, 112, 112)
    with torch.no_grad():
        detector.place.zero_()
        found = detector.features(clips)
        expected = reference(thumbnail((clips - detector.mean) / detector.std, 2))
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)
    # Windows of 14 take over all but the tables of relative places, which are stretched.
    wide = build("tall", **arguments, weights=tmp_path / "w.pth").network.state_dict()
    assert wide["layers.0.blocks.0.attn.relative_position_bias_table"].shape == (27**2, 3)
    for name, value in reference.state_dict().items():
        assert "relative_position" in name or torch.equal(wide[name], value)
    with pytest.raises(ValueError, match="Swin-B"):
        build("tall", **arguments | {"depths": (2, 2, 2, 2)}, weights=tmp_path / "w.pth")


@pytest.mark.parametrize(
    ("change", "message"),
    [({"frames": 5}, "square"), ({"input_size": 40}, "multiple of 32"), ({"width": 40}, "multiple of 32")],
)
def test_what_cannot_be_built_is_refused(change, message):
    with pytest.raises(ValueError, match=message):
        build("tall", **{**TestTall.arguments, **change})
