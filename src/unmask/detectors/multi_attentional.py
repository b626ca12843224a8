"""Multi-attentional detection: where to look, learned as several maps, and texture from the shallow layers there."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path
from typing import Any, ClassVar

import timm
import torch
from timm.models.efficientnet import EfficientNet
from torch import Tensor, nn
from torch.nn import functional

from unmask.detectors.base import Batch, Detector, Paper, check_input_size, check_whole, classification
from unmask.detectors.gend import normalisation
from unmask.detectors.weights import load_weights

#: Regional independence: how near to its centre the texture of a real and of a fake region shall be, how far centres
#: shall be from each other, and how fast they move.
_NEAR, _FAR, _PACE = (0.05, 0.1), 0.2, 0.05
#: Of the vectors behind the pooled maps.
_WIDTH = 256


class MultiAttentional(Detector):
    """An EfficientNet with attention maps, enhanced texture and bilinear attention pooling.

    Args:
        input_size: side of the crops in pixels.
        backbone: timm's name of an EfficientNet.
        attentions: M, how many maps, from 2 to 64.
        pretrained: let timm download ImageNet weights (needs a network).
        weights: a file of such weights instead.

    Raises:
        ValueError: timm has no such EfficientNet, a number is out of range, or ``weights`` does not fit.
    """

    paper: ClassVar[Paper] = Paper(
        title="Zhao et al., Multi-attentional Deepfake Detection, CVPR 2021",
        url="https://arxiv.org/abs/2103.02406",
        parameters="not stated",
        departs="one logit in place of two classes; as in DeepfakeBench every training picture is degraded where one "
        "of its maps looks, by that code's figures, and the backbone is not trained alone before; the pace of the "
        "centres stays 0.05 where the paper lets it decay by the epoch; centres pass their gradient on, as in the "
        "authors' code; six biases that a batch norm removes are left out",
    )
    head: nn.Linear

    def __init__(
        self,
        *,
        input_size: int,
        backbone: str = "tf_efficientnet_b4",
        attentions: int = 4,
        pretrained: bool = False,
        weights: str | Path | None = None,
    ) -> None:
        super().__init__()
        check_input_size(input_size, least=32)
        check_whole("attentions", attentions, 2, 64)
        # Names such as "hf-hub:..." and "local-dir:..." would fetch and read whatever a stranger's model.yaml says.
        if not isinstance(backbone, str) or not timm.is_model(backbone):
            raise ValueError(f"timm has no model {backbone!r}")
        network: Any = timm.create_model(backbone, pretrained=pretrained, num_classes=0)
        if not isinstance(network, EfficientNet):
            raise ValueError(f"{backbone} is no EfficientNet")
        if weights is not None:
            load_weights(network, weights)
        self.input_size = input_size
        self.backbone = network
        self.mean, self.std = (nn.Buffer(values) for values in normalisation(network))
        # The last stages whose maps are a quarter and a sixteenth of the picture's side: 2 and 5 of B4's seven.
        stages = {int(each["reduction"]): each for each in network.feature_info}
        self.shallow_stage, self.attention_stage = (int(stages[size]["module"].split(".")[1]) for size in (4, 16))
        shallow = int(stages[4]["num_chs"])
        self.attention = AttentionMaps(int(stages[16]["num_chs"]), attentions)
        self.texture = Texture(shallow)
        self.local = nn.Sequential(
            nn.Linear(attentions * 4 * shallow, _WIDTH), nn.Hardswish(), nn.Linear(_WIDTH, _WIDTH), nn.Hardswish()
        )
        self.whole = nn.Sequential(nn.Linear(network.num_features, _WIDTH), nn.Hardswish())
        self.both = nn.Sequential(nn.Linear(2 * _WIDTH, _WIDTH), nn.Hardswish())
        self.head = nn.Linear(_WIDTH, 1)
        self.local_dropout, self.whole_dropout = nn.Dropout(0.25), nn.Dropout(0.5)
        self.centres = nn.Buffer(torch.zeros(attentions, shallow))

    def features(self, images: Tensor) -> Tensor:
        """What texture and the whole say together, with dropout in training: (B, 3, S, S) in [0, 1] to (B, 256)."""
        return self._judge(*self._see(self._normalised(images)))[0]

    def losses(self, batch: Batch) -> dict[str, Tensor]:
        """Cross-entropy and regional independence, in training on pictures degraded where one of their maps looks."""
        images = self._normalised(batch["images"])
        if self.training:
            with torch.no_grad():
                images = degraded(images, self._see(images)[1])
        features, regions = self._judge(*self._see(images))
        return {
            "classification": classification(self.head(features).squeeze(1), batch),
            "regions": self._independence(regions.float(), batch["labels"]),
        }

    def _normalised(self, images: Tensor) -> Tensor:
        return ((images - self.mean) / self.std).contiguous(memory_format=torch.channels_last)

    def _see(self, images: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Shallow maps (B, C, S / 4, S / 4), attention (B, M, S / 16, S / 16), deepest maps (B, F, S / 32, S / 32)."""
        network = self.backbone
        maps = network.bn1(network.conv_stem(images))
        shallow = looked = maps
        for number, stage in enumerate(network.blocks):
            maps = stage(maps)
            if number == self.shallow_stage:
                shallow = maps
            if number == self.attention_stage:
                looked = maps
        return shallow, self.attention(looked), network.bn2(network.conv_head(maps))

    def _judge(self, shallow: Tensor, attention: Tensor, deep: Tensor) -> tuple[Tensor, Tensor]:
        """Features (B, 256), and what is not texture of each region, (B, M, C)."""
        texture, plain = self.texture(shallow, attention)  # (B, 4 C, S / 4, S / 4), (B, C, S / 16, S / 16)
        local = self.local(self.local_dropout(pooled(texture, attention)).flatten(1))
        together = resized(attention.sum(1, keepdim=True), deep) + 1e-8  # (B, 1, S / 32, S / 32)
        whole = (deep * together).sum((2, 3)) / together.sum((2, 3))  # (B, F)
        whole = self.whole(self.whole_dropout(whole))
        return self.both(torch.cat([local, whole], 1)), pooled(plain, attention)

    def _independence(self, regions: Tensor, labels: Tensor) -> Tensor:
        """What keeps each map's regions near their centre and centres apart; moves the centres in training.

        Args:
            regions: (B, M, C), rows of length 1.
            labels: (B,).
        """
        centres = self.centres + _PACE * (regions - self.centres).mean(0)  # (M, C)
        if self.training:
            self.centres.copy_(centres.detach())
        distances = torch.linalg.vector_norm(regions - centres, dim=2)  # (B, M)
        near = torch.where(labels > 0.5, _NEAR[1], _NEAR[0])[:, None]
        one, two = torch.tensor(list(combinations(range(len(centres)), 2)), device=centres.device).T
        apart = torch.linalg.vector_norm(centres[one] - centres[two], dim=1)
        # A batch moves the centres by a small pace only, so its pull on them is divided by it.
        return (distances - near).relu().mean() + (_FAR - apart).relu().sum() / len(centres) / _PACE


def resized(attention: Tensor, maps: Tensor) -> Tensor:
    """Attention at the size of other maps."""
    return functional.interpolate(attention, maps.shape[2:], mode="bilinear", align_corners=True)


def pooled(maps: Tensor, attention: Tensor) -> Tensor:
    """Bilinear attention pooling: (B, C, H, W) and (B, M, h, w) to (B, M, C), rows of length 1."""
    sums = resized(attention, maps).flatten(2) @ maps.flatten(2).transpose(1, 2)
    return functional.normalize(sums.float(), dim=2)


def degraded(images: Tensor, attention: Tensor) -> Tensor:
    """Attention-guided augmentation: pictures blurred and noisy where one map of each looks.

    Chance comes from torch's global generator: which map, the more it sees the likelier; how sharply the blur is
    bounded; and noise.

    Args:
        images: (B, 3, S, S), normalised.
        attention: (B, M, h, w), at least 0.
    """
    chosen = torch.multinomial((attention.float().sum((2, 3)) + 1).sqrt(), 1)[..., None, None]  # (B, 1, 1, 1)
    where = attention.gather(1, chosen.expand(-1, 1, *attention.shape[2:]))
    where = resized(where, images).float()  # (B, 1, S, S)
    where = where / (where.amax((2, 3), keepdim=True) + 1e-8)
    threshold, steepness = torch.rand(2, device=images.device) * where.new_tensor([0.2, 2]) + where.new_tensor([0.4, 3])
    least = (-threshold * steepness).sigmoid()
    share = (((where - threshold) * steepness).sigmoid() - least) / (1 - least)  # 0 where nothing is seen
    places = torch.arange(-5, 6, device=images.device)
    bell = (-(places**2) / (2 * 7.0**2)).exp()
    bell = (bell / bell.sum()).expand(3, 1, 1, -1)
    half = images.shape[2] // 2
    coarse = functional.interpolate(images, (half, half), mode="bilinear", align_corners=True)
    coarse = functional.conv2d(functional.pad(coarse, (5, 5, 0, 0), mode="reflect"), bell, groups=3)
    coarse = functional.conv2d(functional.pad(coarse, (0, 0, 5, 5), mode="reflect"), bell.mT, groups=3)
    coarse = resized(coarse + 0.1 * torch.randn_like(coarse), images)
    return images * (1 - share) + coarse * share


class AttentionMaps(nn.Module):
    """Maps of where to look, above 0 but for their border, which is 0."""

    def __init__(self, channels: int, attentions: int) -> None:
        super().__init__()
        self.extract = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.norm1 = nn.BatchNorm2d(channels)
        self.choose = nn.Conv2d(channels, attentions, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(attentions)
        inside = torch.zeros(1, 1, 24, 24)
        inside[..., 2:-2, 2:-2] = 1
        self.inside = nn.Buffer(inside)

    def forward(self, maps: Tensor) -> Tensor:
        """(B, C, H, W) to (B, M, H, W)."""
        maps = self.norm2(self.choose(functional.relu(self.norm1(self.extract(maps)))))
        return (functional.elu(maps) + 1) * functional.interpolate(self.inside, maps.shape[2:])


class Texture(nn.Module):
    """Texture enhancement: what local means leave over, through a densely connected block."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels, channels, 1, bias=False)
        self.norms = nn.ModuleList(nn.BatchNorm2d(count * channels) for count in (1, 2, 3, 4))
        self.convolutions = nn.ModuleList(
            nn.Conv2d(count * channels, channels, 3, padding=1, bias=False) for count in (1, 2, 3)
        )
        self.last = nn.Conv2d(4 * channels, 4 * channels, 1, bias=False)
        self.last_norm = nn.BatchNorm2d(4 * channels)

    def forward(self, shallow: Tensor, attention: Tensor) -> tuple[Tensor, Tensor]:
        """Texture (B, 4 C, H, W) and local means (B, C, h, w) of maps (B, C, H, W), means at the attention's size."""
        plain = functional.adaptive_avg_pool2d(shallow, (attention.shape[2], attention.shape[3]))
        maps = self.first(shallow - functional.interpolate(plain, shallow.shape[2:]))
        for norm, convolution in zip(self.norms, self.convolutions, strict=False):
            maps = torch.cat([maps, convolution(functional.relu(norm(maps)))], 1)
        return self.last_norm(self.last(functional.relu(self.norms[3](maps)))), plain
