from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unmask.datasets import index
from unmask.datasets.asvspoof2019_la import FORM
from unmask.datasets.asvspoof_protocol import folder_at, folders_called, read_protocol
from unmask.datasets.report import Report
from unmask.tables.errors import DatasetError, TableError

GOOD = "LA_0079 LA_T_1138215 - - bonafide\nLA_0079 LA_T_1271820 - A01 spoof\n"


@pytest.fixture
def read(tmp_path):
    def write_and_read(text: str | bytes) -> dict[str, tuple[str, ...]]:
        path = tmp_path / "ASVspoof2019.LA.cm.train.trn.txt"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return read_protocol(path, FORM)

    return write_and_read


@pytest.fixture
def copied(fake, tmp_path):
    """Name of a dataset -> a copy of its look-alike, to be changed."""
    return lambda name: Path(shutil.copytree(fake(name)[0], tmp_path / "copy"))


@pytest.mark.parametrize(
    "text",
    [
        GOOD,
        GOOD.rstrip("\n"),
        GOOD.replace("\n", "\r\n"),
        GOOD.replace(" ", "\t"),
        GOOD.replace("\n", "  \n\n"),
        "\ufeff" + GOOD,
        GOOD.replace(" LA_T", " ASVspoof2019_LA_train\\flac\\LA_T"),
        GOOD.replace(" LA_T", " /home/somebody/flac/LA_T").replace("5 -", "5.flac -"),
        GOOD.replace(" LA_T", " ../../LA_T"),
    ],
    ids=["plain", "no end", "windows", "tabs", "blank lines", "mark", "backslashes", "foreign prefix", "upwards"],
)
def test_spellings_of_one_protocol(read, text):
    found = read(text)
    assert [(name, cells[0], cells[3], cells[4]) for name, cells in found.items()] == [
        ("LA_T_1138215", "LA_0079", "-", "bonafide"),
        ("LA_T_1271820", "LA_0079", "A01", "spoof"),
    ]


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        (GOOD + "LA_0079 LA_T_1000000 - spoof\n", 3, "not of the form"),
        (GOOD + "LA_0079 LA_T_1000000 - A01 spoof -\n", 3, "not of the form"),
        (GOOD + "LA_0079 /etc/passwd - A01 spoof\n", 3, "not of the form"),
        (GOOD + "LA_0079 DF_E_2000011 - A01 spoof\n", 3, "not of the form"),
        ("speaker,name,unused,attack,key\n" + GOOD, 1, "not of the form"),
        (GOOD + "LA_0079 LA_T_1000000 - A01 fake\n", 3, "neither bonafide nor spoof"),
        (GOOD + "LA_0079 LA_T_1000000 - A01 1\n", 3, "neither bonafide nor spoof"),
        (GOOD + "LA_0079 LA_T_1000000 - - spoof\n", 3, "contradicts"),
        (GOOD + "LA_0079 LA_T_1000000 - A01 bonafide\n", 3, "contradicts"),
        (GOOD + GOOD, 3, "stood on a line above"),
        (GOOD + "Müller LA_T_1000000 - A01 spoof\n", 3, "beyond plain ASCII"),
        (GOOD.encode() + b"\0", 3, "beyond plain ASCII"),
        (GOOD.encode("utf-16"), 1, "beyond plain ASCII"),
        (GOOD + "x" * 5_000_000, 3, "not of the form"),
        (GOOD + "x " * 2_000_000, 3, "not of the form"),
        (GOOD + "/" * 2_000_000, 3, "not of the form"),
        ("", 0, "is empty"),
        ("\n \r\n", 0, "is empty"),
    ],
)
def test_faults_are_told_with_their_line(read, text, line, message):
    with pytest.raises(TableError, match=message) as caught:
        read(text)
    assert caught.value.problems[0].line == line
    assert len(str(caught.value)) < 5000


def test_all_faults_at_once(read):
    with pytest.raises(TableError) as caught:
        read("one\n" + GOOD + "two\nLA_0079 LA_T_1271820 - A01 spoof\n")
    assert [problem.line for problem in caught.value.problems] == [1, 4, 5]


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(tmp_path_factory, data):
    path = tmp_path_factory.getbasetemp() / "protocol.txt"
    path.write_bytes(data)
    with pytest.raises(TableError):
        read_protocol(path, FORM)


def test_folders_by_lenient_names(tmp_path):
    (tmp_path / "la" / "asvspoof2019 la-train").mkdir(parents=True)
    assert folder_at(tmp_path, "LA/ASVspoof2019_LA_train") == tmp_path / "la" / "asvspoof2019 la-train"
    assert folder_at(tmp_path, "LA/ASVspoof2019_LA_dev") is None
    assert folder_at(tmp_path, "PA/ASVspoof2019_LA_train") is None
    assert [found.name for found in folders_called("ASVspoof2019_LA", [tmp_path / "la"])] == ["asvspoof2019 la-train"]


@pytest.mark.parametrize("name", ["asvspoof2019_la", "asvspoof5"])
def test_sound_without_its_protocol_is_refused_with_the_remedy(copied, name):
    root = copied(name)
    protocol = next(path for path in root.rglob("*dev*") if path.is_file() and path.suffix != ".flac")
    protocol.unlink()
    with pytest.raises(DatasetError, match=protocol.name) as caught:
        index(name, root)
    assert "--splits" in str(caught.value.next_step)


@pytest.mark.parametrize("name", ["asvspoof2019_la", "asvspoof5"])
def test_protocols_elsewhere(copied, tmp_path, name):
    root = copied(name)
    wanted = index(name, root)
    folder = next(path for path in root.rglob("*rotocols") if path.is_dir())
    moved = folder.rename(tmp_path / folder.name)
    for place in (moved, tmp_path):
        assert index(name, root, splits=place).equals(wanted)


@pytest.mark.parametrize("name", ["asvspoof2019_la", "asvspoof5"])
def test_enrolments_and_short_lists_are_told_without_being_odd(fake, name):
    root, made = fake(name)
    report = Report()
    index(name, root, report=report)
    assert report.odd == {}
    assert not report.warnings
    assert [(count.part.split()[0], count.found) for count in report.counts] == [
        (part, sum(each.split == split for each in made))
        for part, split in (("train", "train"), ("dev", "validation"), ("eval", "test"))
    ]
    assert sum("only enrol speakers" in note for note in report.notes) == 2
    assert sum("the published one names" in note for note in report.notes) == 3
    assert report.notes[-1] == "speakers by the protocols: 2 in train, 2 in validation, 2 in test; " + (
        "nobody is heard in two splits"
    )


@pytest.mark.parametrize("name", ["asvspoof2019_la", "asvspoof5"])
def test_a_speaker_in_two_parts_is_warned_of(copied, name):
    root = copied(name)
    protocols = sorted(path for path in root.rglob("ASVspoof*") if path.is_file())
    first = protocols[0].read_text().split()[0]
    lines = protocols[1].read_text().splitlines()
    protocols[1].write_text("\n".join([lines[0].replace(lines[0].split()[0], first, 1), *lines[1:]]))
    report = Report()
    index(name, root, report=report)
    assert "to two splits" in report.warnings[0]


def test_strangers_among_the_sound_are_left_out_and_told(copied):
    root = copied("asvspoof2019_la")
    home: Path = root / "LA/ASVspoof2019_LA_train/flac"
    for name in ("noise.flac", "LA_T_1079000.mp4", "LA_T_1079000.txt"):
        (home / name).write_bytes(b"x")
    report = Report()
    index("asvspoof2019_la", root, report=report)
    assert sorted(Path(path).name for paths in report.odd.values() for path in paths) == [
        "LA_T_1079000.mp4",
        "LA_T_1079000.txt",
        "noise.flac",
    ]
