from __future__ import annotations

import shutil
from pathlib import Path

import polars as pl
import pytest

from tests.datasets.contract import DatasetContract
from unmask.datasets import index
from unmask.tables.errors import TableError

NAME = "asvspoof5"


class TestASVspoof5(DatasetContract):
    name = NAME


def test_columns(fake):
    manifest = index(NAME, fake(NAME)[0])
    reals = manifest.filter(pl.col("label") == 0)
    assert reals.select("method", "attack_tag").null_count().row(0) == (reals.height, reals.height)
    coded = manifest.row(by_predicate=pl.col("id") == "E_0000000003", named=True)
    names = ("subject_id", "gender", "method", "attack_tag", "compression", "codec_q", "codec_seed")
    assert [coded[name] for name in names] == ["E_0000", "F", "A17", "AC1", "C05", "2", "E_0009000000"]


def test_what_is_not_coded_is_spelt_alike_in_all_parts(fake):
    manifest = index(NAME, fake(NAME)[0])
    found = manifest.group_by("split").agg(
        pl.struct("compression", "codec_q").unique().sort().struct.json_encode().alias("codings")
    )
    plain, coded = '{"compression":"nocodec","codec_q":"0"}', '{"compression":"C05","codec_q":"2"}'
    assert dict(found.iter_rows()) == {"train": [plain], "validation": [plain], "test": [coded, plain]}


def test_folders_one_level_down(fake, tmp_path):
    tree = fake(NAME)[0]
    wanted = index(NAME, tree)
    for part, folder in (("train", "flac_T"), ("dev", "flac_D"), ("eval", "flac_E_eval")):
        shutil.copytree(tree / folder, tmp_path / f"ASVspoof5_{part}" / folder)
    for protocol in (tree / "ASVspoof5_protocols").iterdir():
        shutil.copy(protocol, tmp_path)
    assert index(NAME, tmp_path).drop("root", "path").equals(wanted.drop("root", "path"))


def test_eval_in_several_folders(fake, tmp_path):
    root = Path(shutil.copytree(fake(NAME)[0], tmp_path / "copy"))
    wanted = index(NAME, root)["id"]
    (root / "flac_E_aa").mkdir()
    for path in sorted((root / "flac_E_eval").iterdir())[::2]:
        path.rename(root / "flac_E_aa" / path.name)
    assert index(NAME, root)["id"].equals(wanted)


def test_the_list_of_trials_is_not_the_protocol(fake, tmp_path):
    root = Path(shutil.copytree(fake(NAME)[0], tmp_path / "copy"))
    (root / "ASVspoof5_protocols/ASVspoof5.dev.track_1.tsv").write_text("D_0062 D_0000000001 F A11 spoof\n")
    with pytest.raises(TableError, match="not of the form 'D_0062 D_0000000001 F - - - AC1 A11 spoof -'"):
        index(NAME, root)
