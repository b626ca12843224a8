"""``unmask metrics`` as a user runs it."""

from __future__ import annotations

import pytest

from unmask.cli.main import main
from unmask.scoring.metrics import METRICS


def test_every_metric_is_listed(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    assert main(["metrics"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[1:]] == list(METRICS)
    for line, metric in zip(lines[1:], METRICS.values(), strict=True):
        assert metric.direction in line
        assert metric.description in line


@pytest.mark.parametrize("name", METRICS)
def test_one_is_defined_with_its_range_and_direction(name, capsys):
    assert main(["metrics", name]) == 0
    told = capsys.readouterr().out
    assert f"{METRICS[name].direction.capitalize()} is better" in told
    for part in ("range", "Args:", "Raises:"):
        assert part in told


def test_another_name_is_refused_with_those_that_there_are(capsys):
    assert main(["metrics", "auc\n"]) == 2
    told = capsys.readouterr().err
    assert r"there is no metric" in told
    assert "roc_auc, average_precision" in told
