from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.utils.data import Dataset

from unmask.loading.epochs import EpochLoader
from unmask.loading.pairs import CropFile, Pair, PairPlan, balanced


def files(count: int, start: int, **more: Any) -> list[CropFile]:
    """Files of three crops each, of frames 0, 10 and 20."""
    return [
        CropFile(np.arange(3) + start + 3 * number, np.array([0, 10, 20]), **{k: v[number] for k, v in more.items()})
        for number in range(count)
    ]


def plan(**more: Any) -> PairPlan:
    given: dict[str, Any] = {"reals": files(7, 0), "fakes": files(5, 1000), "seed": 1}
    return PairPlan(**given | more)


def test_an_epoch_is_a_function_of_seed_and_number():
    assert plan().epoch(3) == plan().epoch(3)
    assert plan().epoch(3) != plan().epoch(4)
    assert plan().epoch(3) != plan(seed=2).epoch(3)


@pytest.mark.parametrize("repeats", [1, 2, 3, 6])
def test_an_epoch_shows_so_many_crops_of_each_real_file(repeats):
    found = plan(repeats=repeats).epoch(0)
    assert len(found) == 7 * repeats
    assert Counter(pair.real // 3 for pair in found) == dict.fromkeys(range(7), repeats)
    # A crop comes again only after all of its file have been shown.
    shown = Counter(pair.real for pair in found)
    assert max(shown.values()) == -(-repeats // 3)


def test_fakes_are_shown_alike():
    shown = Counter((pair.fake - 1000) // 3 for pair in plan(repeats=10).epoch(0))
    assert max(shown.values()) - min(shown.values()) <= 1
    assert len(shown) == 5


def test_groups_count_alike():
    groups = [("a", "x"), ("a", "x"), ("a", "x"), ("a", "y"), ("b", "z")]
    np.testing.assert_allclose(balanced(groups), [1 / 12, 1 / 12, 1 / 12, 1 / 4, 1 / 2])
    found = plan(fakes=files(5, 1000, group=groups), repeats=24).epoch(0)
    drawn = Counter((pair.fake - 1000) // 3 for pair in found)
    for file, share in enumerate(balanced(groups)):
        assert abs(drawn[file] - share * len(found)) <= 1


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("xyz")), min_size=1, max_size=40))
def test_weights_are_shares(groups):
    weights = balanced(groups)
    assert weights.sum() == pytest.approx(1)
    for depth in (1, 2):
        sums: Counter[tuple[str, ...]] = Counter()
        for group, weight in zip(groups, weights, strict=True):
            sums[group[:depth]] += weight
        for name, share in sums.items():
            siblings = {other for other in sums if other[:-1] == name[:-1]}
            parent = 1.0 if depth == 1 else sum(sums[other] for other in siblings)
            assert share == pytest.approx(parent / len(siblings))


@pytest.mark.parametrize(("share", "blended"), [(0.0, 0), (0.5, 14), (0.25, 7), (1.0, 28)])
def test_so_many_are_forged_on_the_spot(share, blended):
    found = plan(blends=share, repeats=4).epoch(0)
    assert sum(pair.fake is None for pair in found) == blended
    assert sum(pair.fake is None for pair in plan(fakes=[], blends=share).epoch(0)) == 7


def test_a_twin_is_made_of_the_pair_s_real_file_and_of_the_same_frame():
    sources = [("", "", str(number)) for number in range(7)]
    made_of = [0, 0, 1, 1, 2]
    fakes = files(5, 1000, source=[sources[number] for number in made_of], method=list("abcde"))
    seen = set()
    for number in range(20):
        for pair in plan(reals=files(7, 0, source=sources), fakes=fakes, twins=True).epoch(number):
            real, fake = pair.real // 3, (pair.fake - 1000) // 3
            assert pair.method == "abcde"[fake]
            if real in made_of:
                assert made_of[fake] == real
                assert (pair.fake - 1000) % 3 == pair.real % 3
                seen.add(fake)
    assert seen == set(range(5))


class Pairs(Dataset[dict[str, torch.Tensor]]):
    def __getitem__(self, pair: Pair) -> dict[str, torch.Tensor]:
        return {"rows": torch.tensor([pair.real, -1 if pair.fake is None else pair.fake])}


def collate(pairs: list[dict[str, torch.Tensor]]) -> dict[str, torch.Tensor]:
    return {"rows": torch.stack([pair["rows"] for pair in pairs])}


def loader(**more: Any) -> EpochLoader:
    given: dict[str, Any] = {"pairs_per_batch": 2}
    return EpochLoader(Pairs(), plan(repeats=2), collate, **given | more)


def rows(batches: Any) -> list[list[list[int]]]:
    return [batch["rows"].tolist() for batch in batches]


@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize("stop", [0, 1, 3, 6, 7, 8, 13, 14])
def test_it_goes_on_where_it_was_stopped(stop, workers):
    whole = loader()
    assert len(whole) == 7
    expected = [batch for _ in range(3) for batch in rows(whole)]
    first = loader(workers=workers)
    seen: list[list[list[int]]] = []
    while len(seen) < stop:
        for batch in first:
            seen.append(batch["rows"].tolist())
            if len(seen) == stop:
                break
    second = loader(workers=workers)
    second.load_state_dict(first.state_dict())
    while len(seen) < 21:
        seen += rows(second)
    assert seen == expected


@pytest.mark.parametrize("processes", [2, 3])
def test_processes_share_what_one_would_see(processes):
    own = [rows(loader(process=number, processes=processes)) for number in range(processes)]
    whole = rows(loader(pairs_per_batch=2 * processes))
    assert [[pair for part in batches for pair in part] for batches in zip(*own, strict=True)] == whole


def test_fewer_pairs_than_a_batch_are_one_batch():
    assert len(rows(loader(pairs_per_batch=100))) == 1
    own = [rows(loader(pairs_per_batch=100, process=number, processes=3)) for number in range(3)]
    assert [len(batches) for batches in own] == [1, 1, 1]
    assert len({len(batch) for batches in own for batch in batches}) == 1
