"""``unmask detectors`` as a user runs it."""

from __future__ import annotations

import pytest

from unmask.cli.main import main
from unmask.training.options import groups


def test_every_option_of_train_is_listed(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "250")
    assert main(["detectors"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[1:]] == groups()["detector"]
    found = {line.split()[0]: line for line in lines[1:]}
    assert "a crop of 299 px" in found["xception"]
    assert "64,600 samples of sound" in found["aasist"]
    assert "FaceForensics++" in found["xception"]


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("xception", "As built: 20,809,001."),
        ("gend", "are trained."),
        ("ffd", "Its losses use, beside labels: masks."),
        ("aasist", "297,866"),
        ("timm", "Departs from the paper"),
    ],
)
def test_one_is_described(name, told, capsys):
    assert main(["detectors", name]) == 0
    out = capsys.readouterr().out
    assert told in out
    assert "https://" in out


def test_another_name_is_refused_with_those_that_there_are(capsys):
    assert main(["detectors", "xcepton"]) == 2
    assert "aasist, aasist_l" in capsys.readouterr().err
