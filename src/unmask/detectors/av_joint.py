"""Picture and sound in one transformer, each of which looks at the other."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import torch
from timm.layers import Mlp
from torch import Tensor, nn
from torch.nn import functional

from unmask.detectors.base import Detector, Paper, check_input_size, check_whole
from unmask.detectors.frame_transformer import FrameEncoder, check_heads
from unmask.detectors.lfcc_lcnn import Lfcc
from unmask.detectors.rawnet2 import RATE

#: Frames of sound, of 10 ms each, in one token.
_SPAN = 16
#: Coefficients in a frame of sound.
_CEPSTRA = 60


class AvJoint(Detector):
    """Tokens of frames and tokens of sound, layers of attention within and across, and one logit.

    Args:
        backbone: timm's name of the frame encoder.
        input_size: side of the crops in pixels.
        frames: length of the clips, from 1 to 256.
        samples: length of the sound at 16 kHz, from 2,400 (one token) to 960,000.
        width: of the tokens.
        layers: from 1 to 48.
        heads: of their attention; they divide ``width``.
        drop_rate: dropout before the last layer.
        pretrained: see ``FrameEncoder``.
        weights: see ``FrameEncoder``.

    Raises:
        ValueError: timm has no such model, a number is out of range, or ``weights`` does not fit the backbone.
    """

    paper: ClassVar[Paper] = Paper(
        title="Yang et al., AVoiD-DF: Audio-Visual Joint Learning for Detecting Deepfake, IEEE TIFS 2023 (its decoder "
        "of attention across picture and sound)",
        url="https://doi.org/10.1109/TIFS.2023.3262148",
        parameters="not stated",
        departs="no public code to follow, so a plain version: a frame encoder of timm and a convolution over linear-"
        "frequency cepstra in place of its encoders of patches, and one classifier of both class tokens with one "
        "logit, since there is one label",
    )
    takes: ClassVar[tuple[str, ...]] = ("clips", "sound")

    def __init__(
        self,
        backbone: str,
        *,
        input_size: int,
        frames: int,
        samples: int,
        width: int = 512,
        layers: int = 4,
        heads: int = 8,
        drop_rate: float = 0.0,
        pretrained: bool = False,
        weights: str | Path | None = None,
    ) -> None:
        super().__init__()
        check_input_size(input_size)
        check_whole("frames", frames, 1, 256)
        check_whole("samples", samples, 15 * RATE // 100, 60 * RATE)
        check_whole("width", width, 4, 4096)
        check_whole("layers", layers, 1, 48)
        check_heads(heads, width)
        self.input_size, self.frames, self.samples = input_size, frames, samples
        self.encoder = FrameEncoder(backbone, pretrained=pretrained, weights=weights)
        self.seen = nn.Linear(self.encoder.num_features, width)
        self.cepstra = Lfcc()
        # Cepstra are anywhere from -30 (silence) to 10, and their differences far smaller.
        self.level = nn.BatchNorm1d(_CEPSTRA)
        self.heard = nn.Conv1d(_CEPSTRA, width, _SPAN, _SPAN)
        spans = (1 + samples * 100 // RATE) // _SPAN
        self.tokens = nn.Parameter(nn.init.trunc_normal_(torch.empty(2, 1, 1, width), std=0.02))
        self.seen_place = nn.Parameter(nn.init.trunc_normal_(torch.empty(1, 1 + frames, width), std=0.02))
        self.heard_place = nn.Parameter(nn.init.trunc_normal_(torch.empty(1, 1 + spans, width), std=0.02))
        self.layers = nn.ModuleList(_Layer(width, heads) for _ in range(layers))
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(2))
        self.dropout = nn.Dropout(drop_rate)
        self.head = nn.Linear(2 * width, 1)

    def features(self, clips: Tensor, sound: Tensor) -> Tensor:
        """Both class tokens, with dropout in training: (B, T, 3, S, S) in [0, 1] and (B, N) to (B, 2 width)."""
        token_seen, token_heard = self.tokens.expand(-1, clips.shape[0], -1, -1).unbind()
        seen = torch.cat([token_seen, self.seen(self.encoder(clips))], 1) + self.seen_place  # (B, 1 + T, D)
        cepstra = self.level(self.cepstra(sound).transpose(1, 2))  # (B, 60, M)
        heard = (
            torch.cat([token_heard, self.heard(cepstra).transpose(1, 2)], 1) + self.heard_place
        )  # (B, 1 + M / 16, D)
        for layer in self.layers:
            seen, heard = layer(seen, heard)
        tokens = [norm(each[:, 0]) for norm, each in zip(self.norms, (seen, heard), strict=True)]
        found: Tensor = self.dropout(torch.cat(tokens, 1))
        return found


class _Layer(nn.Module):
    """Attention within picture and sound, then across, both ways at once, then two layers on each token."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.seen = _Stream(width, heads)
        self.heard = _Stream(width, heads)

    def forward(self, seen: Tensor, heard: Tensor) -> tuple[Tensor, Tensor]:
        seen, heard = self.seen.within(seen), self.heard.within(heard)
        return self.seen.across(seen, heard), self.heard.across(heard, seen)


class _Stream(nn.Module):
    """One modality's half of a layer."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(4))
        self.own = _Attention(width, heads)
        self.other = _Attention(width, heads)
        self.dense = Mlp(width, 4 * width)

    def within(self, tokens: Tensor) -> Tensor:
        normed = self.norms[0](tokens)
        attended: Tensor = self.own(normed, normed)
        return tokens + attended

    def across(self, tokens: Tensor, others: Tensor) -> Tensor:
        tokens = tokens + self.other(self.norms[1](tokens), self.norms[2](others))
        out: Tensor = tokens + self.dense(self.norms[3](tokens))
        return out


class _Attention(nn.Module):
    """Each token of the first asks all of the second: (B, N, D) and (B, M, D) to (B, N, D)."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.query = nn.Linear(width, width)
        self.key_value = nn.Linear(width, 2 * width)
        self.out = nn.Linear(width, width)

    def forward(self, asking: Tensor, asked: Tensor) -> Tensor:
        query, key, value = (
            each.unflatten(2, (self.heads, -1)).transpose(1, 2)  # (B, H, N or M, D / H)
            for each in (self.query(asking), *self.key_value(asked).chunk(2, 2))
        )
        attended = functional.scaled_dot_product_attention(query, key, value)
        found: Tensor = self.out(attended.transpose(1, 2).flatten(2))
        return found
