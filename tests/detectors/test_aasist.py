from __future__ import annotations

from typing import ClassVar

import pytest
import torch

from tests.detectors.contract import DetectorContract
from unmask.detectors import build
from unmask.detectors.aasist import _MixedGraph, _Pool

#: A head of two classes on five times 32 features, and ours of one.
_TWO, _ONE = 2 * (160 + 1), 160 + 1


class TestAasist(DetectorContract):
    name = "aasist"
    arguments: ClassVar[dict[str, object]] = {
        "samples": 7_000,
        "channels": (4, 8),
        "graph_sizes": (16, 16),
        "drop_rate": 0.0,
    }
    rate: ClassVar[float] = 0.003
    parameters: ClassVar[dict[str, int]] = {
        # Published, less the code's batch normalisations that nothing reads: 32, 32 and three of 64 channels.
        "aasist": 297_866 - 2 * (32 + 32 + 3 * 64) - _TWO + _ONE,
        # Likewise: 32, 32 and three of 24 channels.
        "aasist_l": 85_306 - 2 * (32 + 32 + 3 * 24) - _TWO + _ONE,
    }


def test_the_shortest_sound_leaves_one_moment():
    detector = build("aasist", samples=2_315, channels=(4, 4), graph_sizes=(4, 4)).eval()
    assert detector(torch.rand(2, 2_315)).shape == (2,)
    with pytest.raises(ValueError, match="samples"):
        build("aasist", samples=2_314)


def test_a_pool_keeps_the_nodes_of_the_highest_scores():
    pool = _Pool(3, 0.5).eval()
    nodes = torch.randn(2, 5, 3)
    with torch.no_grad():
        found = pool(nodes)
        scores = torch.sigmoid(nodes @ pool.score.weight[0] + pool.score.bias)
    for row in range(2):
        best = sorted(range(5), key=lambda node: -scores[row, node].item())[:2]
        expected = torch.stack([scores[row, node] * nodes[row, node] for node in best])
        torch.testing.assert_close(found[row], expected)


def test_mixed_attention_equals_a_plain_loop():
    torch.manual_seed(0)
    graph = _MixedGraph(4, 6).eval()
    one, two, stack = torch.randn(1, 3, 4), torch.randn(1, 2, 4), torch.randn(1, 1, 4)
    with torch.no_grad():
        found_one, found_two, _ = graph(one, two, stack)
        nodes = [graph.first(one[0, i]) for i in range(3)] + [graph.second(two[0, i]) for i in range(2)]
        expected = []
        for i, node in enumerate(nodes):
            scores = []
            for j, other in enumerate(nodes):
                kinds = (i < 3) + (j < 3)
                score = {2: graph.score_first, 1: graph.score_mixed, 0: graph.score_second}[kinds]
                scores.append((torch.tanh(graph.pairs(node * other)) @ score)[0] / 100)
            shares = torch.softmax(torch.stack(scores), 0)
            mean = sum(share * other for share, other in zip(shares, nodes, strict=True))
            expected.append(torch.selu((graph.attended(mean) + graph.own(node)) / (1 + 1e-5) ** 0.5))
    torch.testing.assert_close(torch.cat([found_one, found_two], 1)[0], torch.stack(expected))


def test_names_of_places_do_not_matter_to_the_moments():
    """Nodes of a kind are a set: in another order they give the same, in that order."""
    torch.manual_seed(0)
    graph = _MixedGraph(4, 4).eval()
    one, two, stack = torch.randn(1, 3, 4), torch.randn(1, 2, 4), torch.randn(1, 1, 4)
    order = torch.tensor([2, 0, 1])
    with torch.no_grad():
        straight, mixed = graph(one, two, stack), graph(one[:, order], two, stack)
    torch.testing.assert_close(mixed[0], straight[0][:, order])
    torch.testing.assert_close(mixed[1], straight[1])
    torch.testing.assert_close(mixed[2], straight[2])
