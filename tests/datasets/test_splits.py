from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from unmask.datasets.splits import SHARES, SHARES_WITHOUT_TEST, connect, dealt_one_by_one, draw, rule, rule_in_words


def test_rows_hang_together_over_other_rows():
    assert connect([["a", "b"], ["c"], ["b", "d"], [], ["d"], []]) == [0, 1, 0, 2, 0, 3]


@given(st.lists(st.lists(st.sampled_from("abcdefgh"), max_size=3), max_size=12))
def test_connect_agrees_with_flooding(keys_of_rows):
    groups = connect(keys_of_rows)
    for start in range(len(keys_of_rows)):
        reached, before = {start}, set()
        while reached != before:
            before = set(reached)
            keys = {key for row in reached for key in keys_of_rows[row]}
            reached |= {row for row, own in enumerate(keys_of_rows) if keys & set(own)}
        assert reached == {row for row in range(len(groups)) if groups[row] == groups[start]}


rows = st.lists(st.tuples(st.integers(0, 1), st.integers(0, 9)), min_size=1, max_size=60)


@given(rows, st.integers(0, 5))
def test_groups_stay_whole_and_the_order_of_rows_does_not_matter(rows, seed):
    ids, labels, groups = [f"{n:03d}" for n in range(len(rows))], [r[0] for r in rows], [r[1] for r in rows]
    splits = draw(ids, labels, groups, SHARES, seed)
    assert len(set(zip(groups, splits, strict=True))) == len(set(groups))
    assert set(splits) <= set(SHARES)
    again = draw(ids[::-1], labels[::-1], groups[::-1], SHARES, seed)
    assert again[::-1] == splits


@given(st.integers(3, 40), st.integers(0, 5))
def test_no_split_stays_empty_while_there_are_groups(count, seed):
    splits = draw([str(n) for n in range(count)], [0] * count, list(range(count)), SHARES, seed)
    assert set(splits) == set(SHARES)


def test_shares_are_met_in_each_class():
    labels = [0] * 200 + [1] * 1000
    splits = draw([str(n) for n in range(1200)], labels, list(range(1200)), SHARES, 0)
    counts = Counter(zip(labels, splits, strict=True))
    for label, total in ((0, 200), (1, 1000)):
        for split, share in SHARES.items():
            assert abs(counts[label, split] - share * total) <= 1


def test_one_huge_group_goes_to_train_whatever_the_seed():
    groups = [0] * 70 + list(range(1, 31))
    for seed in range(20):
        splits = draw([str(n) for n in range(100)], [0] * 100, groups, SHARES, seed)
        assert splits[0] == "train"
        assert 10 <= splits.count("validation") <= 20


def test_the_seed_matters():
    arguments = ([str(n) for n in range(100)], [0] * 100, list(range(100)), SHARES)
    assert draw(*arguments, 0) != draw(*arguments, 1)


def test_rule():
    assert rule("subject", 3, SHARES) == "subject seed=3 0.70/0.15/0.15"


def test_a_rule_in_words():
    assert rule_in_words(rule("subject and source", 3, SHARES)) == (
        "drawn with seed 3, about 70% train, 15% validation, 15% test; files of one subject and source stay together"
    )
    assert rule_in_words(f"held out ben, eva; {rule('subject', 0, SHARES_WITHOUT_TEST)}") == (
        "test is ben, eva, held out; the rest drawn with seed 0, about 85% train, 15% validation; "
        "files of one subject stay together"
    )
    assert "file by file" in rule_in_words(rule("id", 0, SHARES))
    assert rule_in_words("official") == "official"
    assert [dealt_one_by_one(made) for made in (rule("id", 0, SHARES), rule("source", 0, SHARES), "as given")] == [
        True,
        False,
        False,
    ]
