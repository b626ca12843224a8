"""The plain metrics against those of unmask, and the plain check against ours; both by themselves on Python 3.7."""

import ast
import math
from pathlib import Path

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import example, given, settings

from tests.challenge.conftest import make_manifest
from unmask.challenge.exporting import plain, plain_reading
from unmask.challenge.submission import read_submission
from unmask.scoring import metrics
from unmask.scoring.sample import Sample
from unmask.tables.errors import TableError

from .conftest import BROKEN, PYTHONS, run

#: Few distinct values, so that ties are common; edges of bins, ends and the threshold.
SCORES = st.one_of(
    st.sampled_from([0.0, 1e-16, 0.1, 0.25, 0.5, 0.5000001, 1.0]),
    st.integers(0, 15).map(lambda number: number / 15),
    st.integers(1, 15).map(lambda number: math.nextafter(number / 15, 0)),
    st.floats(0, 1),
)
ROWS = st.lists(st.tuples(st.integers(0, 1), SCORES), max_size=60)
SHARES = st.floats(0.001, 0.999)
NAMES = sorted(metrics.METRICS)


def both(name, rows, **said):
    """The value, or the reason for having none: ours, and the plain one."""
    labels, scores = [row[0] for row in rows], [row[1] for row in rows]
    try:
        sample = Sample.of(np.array(labels, dtype=np.int64), np.array(scores, dtype=np.float64))
        ours = metrics.METRICS[name].value(sample, metrics.Settings(**said))
    except metrics.Undefined as error:
        ours = error.reason
    try:
        theirs = plain.measure(name, plain.Rows(labels, scores), plain.Settings(**said))
    except plain.Undefined as error:
        theirs = error.reason
    return ours, theirs


def agree(ours, theirs):
    if isinstance(ours, str):
        return ours == theirs
    return isinstance(theirs, float) and math.isclose(ours, theirs, rel_tol=1e-12, abs_tol=1e-12)


def test_every_metric_is_there():
    assert sorted(plain.METRICS) == NAMES
    assert {name for name in NAMES if not metrics.METRICS[name].both_classes} == plain.ONE_CLASS
    assert plain.Settings()._asdict().items() <= vars(metrics.Settings()).items()


@pytest.mark.parametrize("name", NAMES)
@given(ROWS, SHARES, SHARES, st.floats(0, 1), st.sampled_from([1e-15, 1e-6, 0.1]))
@example([], 0.5, 0.5, 0.5, 1e-15)
@example([(1, 0.5)] * 5, 0.5, 0.5, 0.5, 1e-15)
@example([(0, 0.5)] * 5, 0.5, 0.5, 0.5, 1e-15)
@example([(1, 0.5), (0, 0.5)] * 5, 0.5, 0.5, 0.5, 1e-15)
@example([(1, 0.0), (0, 1.0)], 0.5, 0.5, 0.5, 1e-15)
@example([(1, 0.2), (0, 0.1)], 0.5, 0.5, 0.9, 1e-15)
@settings(max_examples=100, deadline=None)
def test_metrics_are_those_of_unmask(name, rows, prevalence, budget, threshold, clip):
    ours, theirs = both(name, rows, prevalence=prevalence, budget=budget, threshold=threshold, clip=clip)
    assert agree(ours, theirs), (ours, theirs)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("seed", range(4))
def test_metrics_are_those_of_unmask_on_many_rows(name, seed):
    """Enough reals for rates of one in a thousand, and for the default budget; with ties and without."""
    random = np.random.default_rng(seed)
    labels = random.permutation(np.repeat([0, 1], [10_000 + seed, 700]))
    scores = np.clip(random.beta(2, 5, len(labels)) + 0.2 * labels * random.random(len(labels)), 0, 1)
    scores = np.round(scores, 2) if seed % 2 else scores
    ours, theirs = both(name, list(zip(labels.tolist(), scores.tolist(), strict=True)))
    assert isinstance(ours, float)
    assert agree(ours, theirs), (ours, theirs)


@given(st.floats(-10, 2e6), st.integers(1, 12))
def test_rounding_is_numpys(value, digits):
    assert plain.rounded(value, digits) == np.round(value, digits)


def test_rounding_of_a_half_that_python_decides_otherwise():
    assert plain.rounded(0.12345, 4) == np.round(0.12345, 4) != round(0.12345, 4)


def test_reasons_that_tell_of_labels_are_not_for_participants():
    for rows, own in (([(1, 0.9)], False), ([(1, 0.1), (0, 0.1)], True)):
        with pytest.raises(plain.Undefined) as caught:
            plain.measure("precision_at_prevalence", plain.Rows(*zip(*rows, strict=True)), plain.Settings())
        assert caught.value.own is own
        assert (caught.value.reason in caught.value.told) is own


@pytest.mark.parametrize("number", range(15))
def test_bins_end_where_quotients_do(number):
    """``value * 15`` is rounded, but climbs with the value: right next to both sides of an edge is right everywhere."""
    for value in (math.nextafter(number / 15, -1), number / 15, math.nextafter(number / 15, 1)):
        assert plain._bin(max(value, 0.0)) == max(each for each in range(15) if max(value, 0.0) >= each / 15)


CELLS = st.one_of(
    st.floats(allow_nan=True).map(repr), st.sampled_from(["0.5", "1", "0", ".5", "1.", "1e-3", "+0.1", "1_0", "٠", ""]),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=5),
)  # fmt: skip
IDS = ["a", "b", "001", "1", "NA", "é"]


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return tmp_path_factory.mktemp("submissions")


def taken(data, folder):
    """The scores of a file of ``IDS``, or None where it is refused: by ours, and by the plain check."""
    (folder / "mine.csv").unlink(missing_ok=True)  # some file systems take milliseconds to write over a file
    (folder / "mine.csv").write_bytes(data)
    try:
        ours = dict(read_submission(folder / "mine.csv", IDS).iter_rows())
    except TableError:
        ours = None
    try:
        theirs = plain_reading.read_submission(data, IDS, 1)
    except plain_reading.Refused:
        theirs = None
    return ours, theirs


@given(st.permutations(IDS), st.lists(CELLS, min_size=len(IDS), max_size=len(IDS)), st.sampled_from(["\n", "\r\n"]),
       st.booleans(), st.sampled_from(["id,score", "filename,label"]))  # fmt: skip
@settings(max_examples=400, deadline=None)
def test_what_is_taken_and_refused_is_the_same(place, names, cells, end, marked, header):
    rows = [f'{name},"{cell.replace(chr(34), chr(34) * 2)}"' for name, cell in zip(names, cells, strict=True)]
    data = (("\ufeff" if marked else "") + end.join([header, *rows, ""])).encode()
    ours, theirs = taken(data, place)
    assert ours == theirs


@given(st.lists(st.sampled_from([*IDS, "e\u0301", "A"]), max_size=2), st.booleans(), st.randoms())
@settings(max_examples=200, deadline=None)
def test_ids_are_taken_and_refused_the_same(place, further, short, random):
    """Nearly all ids, once each, so that one missing, repeated or further id is the only fault."""
    names = [*IDS[short:], *further]
    random.shuffle(names)
    data = "".join(["id,score\n", *(f"{name},0.5\n" for name in names)]).encode()
    ours, theirs = taken(data, place)
    assert ours == theirs


@pytest.mark.parametrize("name", BROKEN)
def test_broken_files_are_refused(tmp_path, name):
    (tmp_path / "mine.csv").write_bytes(BROKEN[name])
    ids = make_manifest()["id"].to_list()
    with pytest.raises(TableError):
        read_submission(tmp_path / "mine.csv", ids)
    with pytest.raises(plain_reading.Refused) as caught:
        plain_reading.read_submission(BROKEN[name], ids, 1)
    assert str(caught.value).isprintable() or "\n" in str(caught.value)


def test_all_faults_are_told_at_once_and_not_without_end():
    ids = [f"v{number}" for number in range(200)]
    with pytest.raises(plain_reading.Refused) as caught:
        plain_reading.read_submission(b"id,score\nv0,nan\nv0,0.5\nnobody,=cmd\n", ids, 1)
    told = str(caught.value)
    assert len(caught.value.faults) == 203
    for part in ("line 2", '"nan"', "line 3", "already", '"nobody"', '"=cmd"', '"v1"', "and 153 more"):
        assert part in told
    with pytest.raises(plain_reading.Refused, match="more than 1 megabytes"):
        plain_reading.read_submission(b"x" * 1_000_001, ids, 1)


@pytest.mark.parametrize("python", PYTHONS)
@pytest.mark.parametrize("module", [plain, plain_reading])
def test_modules_need_python_3_7_alone(python, module, tmp_path):
    text = Path(module.__file__).read_text(encoding="utf-8")
    tree = ast.parse(text, feature_version=(3, 7))
    imported = {node.module if isinstance(node, ast.ImportFrom) else node.names[0].name
                for node in ast.walk(tree) if isinstance(node, (ast.Import, ast.ImportFrom))}  # fmt: skip
    assert imported <= {"csv", "io", "math", "re", "typing"}
    done = run(python, Path(module.__file__), cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
