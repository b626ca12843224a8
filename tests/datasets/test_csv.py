from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from tests.datasets.contract import DatasetContract
from tests.fakes.csv import NAME
from tests.fakes.media import make_picture
from unmask.datasets import index
from unmask.datasets.csv import SYNONYMS
from unmask.datasets.files import bare
from unmask.datasets.own_data import CLASS_WORDS, SPLIT_WORDS
from unmask.datasets.report import Report
from unmask.datasets.sequences import NO_PICTURES
from unmask.tables.errors import DatasetError, TableError


class TestCsv(DatasetContract):
    name = "csv"
    ids_are_paths = True

    def index(self, root, report=None):
        return super().index(root / NAME, report)

    def keeps_its_name(self, folder):
        return True  # the table says what the folders are called

    def test_hidden_files_are_left_out(self, copy, made):
        for name in ("clips/._x.mp4", "stills/.DS_Store"):
            (copy / name).write_bytes(b"x")
        report = Report()
        assert set(self.index(copy, report)["id"]) == {each.id for each in made}
        assert report.odd == {}  # only what the table names is looked at

    def test_nothing_there_is_an_error_that_says_what_was_looked_for(self, tmp_path):
        (tmp_path / NAME).write_text("path,label\na/b.mp4,1\n")
        with pytest.raises(DatasetError, match=f"none of the 1 files that {NAME} names is there; the first is a/b.mp4"):
            self.index(tmp_path)

    def test_no_such_folder(self, tmp_path):
        with pytest.raises(DatasetError, match="no such table"):
            self.index(tmp_path)

    def test_a_file_is_no_folder(self, tmp_path):
        with pytest.raises(DatasetError, match="a table, and this is a folder"):
            super().index(tmp_path)  # here it is the other way round


def make(root: Path, text: str | bytes, *files: str) -> Path:
    for path in files:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(b"x")
    table = root / "table.csv"
    table.write_bytes(text if isinstance(text, bytes) else text.encode())
    return table


def labels_of(table: Path) -> list[int | None]:
    return index("csv", table)["label"].to_list()


@pytest.mark.parametrize("meaning", SYNONYMS)
def test_columns_go_by_their_names(tmp_path, meaning):
    for number, word in enumerate(SYNONYMS[meaning]):
        columns = {"path": "a.mp4", "label": "1"} | {meaning: {"path": "a.mp4", "label": "1"}.get(meaning, "test")}
        header = [f"{word[:2].upper()}_{word[2:]} " if name == meaning else name for name in columns]
        (tmp_path / str(number)).mkdir()
        table = make(tmp_path / str(number), f"{','.join(header)}\n{','.join(columns.values())}\n", "a.mp4")
        assert index("csv", table)[meaning].to_list() == [1 if meaning == "label" else columns[meaning]]


def test_no_name_means_two_things():
    words = [word for names in SYNONYMS.values() for word in names]
    assert len(set(words)) == len(words)
    assert all(word == bare(word) for word in words)


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ("path,filename,label", '"path" and "filename" could both be the path'),
        ("path,label,Class", '"label" and "Class" could both be the label'),
        ("path,label,subject,person_id", '"subject" and "person_id" could both be the subject_id'),
        ("path,label,set,split", '"set" and "split" could both be the split'),
        ("where,label,pose", 'no column is called like a path; there are "where", "label", "pose"'),
        ("path,pose,age", "no column is called like a label"),
        ("path,label,dataset", "filled by the index"),
        ("path,label,media", "filled by the index"),
    ],
)
def test_what_a_column_holds_is_never_guessed(tmp_path, header, message):
    with pytest.raises(TableError, match=message):
        labels_of(make(tmp_path, f"{header}\n{','.join('a.mp4' for _ in header.split(','))}\n", "a.mp4"))


def test_labels_are_words_or_one_for_fake(tmp_path):
    cells = {"0": 0, "1": 1, "1.0": 1, "0.0": 0, "": None, "BonaFide": 0, "bona-fide": 0, "spoof": 1}
    cells |= {word: label for label, words in CLASS_WORDS.items() for word in words}
    files = [f"{number:02d}.mp4" for number in range(len(cells))]
    text = "path,label\n" + "".join(f"{file},{cell}\n" for file, cell in zip(files, cells, strict=True))
    report = Report()
    assert index("csv", make(tmp_path, text, *files), report=report)["label"].to_list() == list(cells.values())
    assert any("1 was read as fake" in note for note in report.notes)


@pytest.mark.parametrize("label", ["2", "-1", "yes", "true", "0.5", "real or fake"])
def test_other_labels_are_refused_with_their_line(tmp_path, label):
    with pytest.raises(TableError, match=r"line 3: the label .* is neither"):
        labels_of(make(tmp_path, f"path,label\na.mp4,0\nb.mp4,{label}\n", "a.mp4", "b.mp4"))


def test_splits_are_taken_in_any_word(tmp_path):
    words = {word: split for split, words in SPLIT_WORDS.items() for word in words}
    lines = "".join(f"{word}.mp4,real,{word.upper()}\n" for word in words)
    table = make(tmp_path, f"path,label,Subset\n{lines}", *(f"{word}.mp4" for word in words))
    manifest = index("csv", table)
    assert dict(manifest.select("id", "split").iter_rows()) == {f"{word}.mp4": split for word, split in words.items()}
    assert set(manifest["split_rule"]) == {"as given"}
    with pytest.raises(TableError, match='the split is "holdout"'):
        labels_of(make(tmp_path, "path,label,split\na.mp4,0,holdout\n", "a.mp4"))


def test_without_splits_they_are_drawn_by_person_as_in_a_folder(fake):
    root, _made = fake("csv")
    report = Report()
    manifest = index("csv", root / NAME, report=report)
    assert set(manifest["split_rule"]) == {"subject seed=0 0.70/0.15/0.15"}
    assert manifest.group_by("subject_id").agg(pl.col("split").n_unique())["split"].max() == 1
    assert report.warnings == []
    held = index("csv", root / NAME, hold_out=["eva"])
    assert set(held.filter(pl.col("split") == "test")["subject_id"]) == {"eva"}
    with pytest.raises(DatasetError, match="no subject 'zoe'"):
        index("csv", root / NAME, hold_out=["zoe"])


def test_nobody_known_is_warned_of(tmp_path):
    files = [f"{number}.mp4" for number in range(9)]
    text = "path,label\n" + "".join(f"{file},{number % 2}\n" for number, file in enumerate(files))
    report = Report()
    table = make(tmp_path, text, *files)
    index("csv", table, report=report)
    assert "fill a column subject_id in table.csv" in report.warnings[0]
    with pytest.raises(DatasetError, match="subjects are not known") as caught:
        index("csv", table, hold_out=["ada"])
    assert "--subject-from" not in str(caught.value)


def test_other_columns_become_slices(tmp_path):
    table = make(tmp_path, ",path,label,pose,Age\n0,a.mp4,0,left,31\n1,b.mp4,1,,\n", "a.mp4", "b.mp4")
    report = Report()
    manifest = index("csv", table, report=report)
    assert manifest["pose"].to_list() == ["left", None]
    assert manifest["Age"].to_list() == ["31", None]
    assert "" not in manifest.columns
    assert any("without a name" in note for note in report.notes)


def test_a_folder_of_pictures_is_one_video(tmp_path):
    make_picture(tmp_path / "frames" / "a.b" / "000.png")
    (tmp_path / "frames" / "empty").mkdir()
    report = Report()
    table = make(tmp_path, "path,label\nframes/a.b/,1\nframes/empty,0\nframes/gone,0\nx.mp4,0\n", "x.mp4")
    manifest = index("csv", table, report=report)
    assert manifest.select("id", "path", "media").rows() == [
        ("frames/a.b", "frames/a.b", "video"),
        ("x.mp4", "x.mp4", "video"),
    ]
    assert report.odd[NO_PICTURES] == ["frames/empty"]
    assert [count.expected - count.found for count in report.counts] == [2]


def test_absolute_paths_count_where_they_lie_in_the_folder(tmp_path):
    root = tmp_path.resolve()
    manifest = index("csv", make(tmp_path, f"path,label\n{root}/sub/a.mp4,0\n", "sub/a.mp4"))
    assert manifest["path"].to_list() == ["sub/a.mp4"]


@pytest.mark.parametrize("path", ["/etc/passwd.mp4", "../a.mp4", "sub/../../a.mp4", "C:\\a.mp4", "\\\\host\\a.mp4"])
def test_no_path_leads_out(tmp_path, path):
    with pytest.raises(TableError, match="leads out of the folder"):
        labels_of(make(tmp_path, f"path,label\n{path},0\n"))


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"\n",
        b"path,label\n",
        b"path,label",
        b"path,label\na.mp4\n",
        b"path,label\na.mp4,0,0\n",
        b"path,label\na.mp4,0\na.mp4,1\n",
        b"path,label\na.mp4,0\n.\\a.mp4,0\n",
        b"path,label\n,0\n",
        b"path;label\na.mp4;0\n",
        b"a.mp4,0\n",
        b"\xff\xfep\x00a\x00t\x00h\x00",
        b"path,label\n\xe9.mp4,0\n",
        b"path,label\na\x00.mp4,0\n",
        b"path,label\n" + b"x" * 5000 + b",0\n",
        b"path,label\n" + b"x" * 3000 + b",0\n",
        b'path,label\n"a.mp4,0\n',
        b"path,label\na.txt,0\n",
        b"path,path,label\na.mp4,a.mp4,0\n",
    ],
)
def test_hostile_tables_are_refused_in_words(tmp_path, text):
    with pytest.raises((TableError, DatasetError)) as caught:
        index("csv", make(tmp_path, text, "a.mp4", "a.txt"))
    assert caught.value.next_step


def test_windows_line_ends_a_mark_and_no_newline_at_the_end(tmp_path):
    assert labels_of(make(tmp_path, b"\xef\xbb\xbfpath,label\r\na.mp4,0\r\nb.mp4,1", "a.mp4", "b.mp4")) == [0, 1]


def test_parquet(tmp_path):
    (tmp_path / "a.mp4").write_bytes(b"x")
    (tmp_path / "b.mp4").write_bytes(b"x")
    table = tmp_path / "t.parquet"
    pl.DataFrame({"file": ["a.mp4", "b.mp4"], "label": [1.0, None], "age": [3, 4]}).write_parquet(table)
    manifest = index("csv", table)
    assert manifest["label"].to_list() == [1, None]
    assert set(manifest["dataset"]) == {"t"}
    pl.DataFrame({"file": ["a.mp4", "b.mp4"], "label": [True, False]}).write_parquet(table)
    with pytest.raises(TableError, match="neither 0 or 1 nor a word"):
        index("csv", table)


def test_a_folder_instead_of_the_table(tmp_path):
    make(tmp_path, "path,label\n")
    with pytest.raises(DatasetError, match="csv reads a table") as caught:
        index("csv", tmp_path)
    assert "there are table.csv" in caught.value.next_step


def test_a_link_to_a_table_stands_where_it_is(tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "data").mkdir()
    table = make(tmp_path / "elsewhere", "path,label\na.mp4,0\n")
    (tmp_path / "data" / "a.mp4").write_bytes(b"x")
    (tmp_path / "data" / "t.csv").symlink_to(table)
    assert index("csv", tmp_path / "data" / "t.csv")["root"].to_list() == [str((tmp_path / "data").resolve())]


def test_a_hundred_thousand_rows(tmp_path):
    lines = "".join(f"clips/{number % 300}/{number}.mp4,{number % 2}\n" for number in range(100_000))
    manifest = index("csv", make(tmp_path, "path,label\n" + lines, "clips/0/0.mp4", "clips/1/1.mp4"))
    assert manifest.height == 2


def test_absolute_paths_over_a_link_to_the_folder(tmp_path):
    home = make(tmp_path / "disk", "", "a.jpg", "b/c.jpg").parent
    (tmp_path / "data").symlink_to(home, target_is_directory=True)
    through = tmp_path / "data"
    (home / NAME).write_text(f"path,label\n{through}/a.jpg,0\n{through}/b/c.jpg,1\n{through}/gone.jpg,1\n")
    for table in (home / NAME, through / NAME):
        assert index("csv", table)["path"].to_list() == ["a.jpg", "b/c.jpg"]
    (home / NAME).write_text(f"path,label\n{through}/../a.jpg,0\n{tmp_path}/a.jpg,0\n/{'x' * 3000}/a.jpg,0\n")
    with pytest.raises(TableError) as caught:
        index("csv", through / NAME)
    assert len(caught.value.problems) == 3
