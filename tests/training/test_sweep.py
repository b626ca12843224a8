from __future__ import annotations

import json

import pytest

from unmask.tables.errors import ConfigError
from unmask.training.compose import Job
from unmask.training.sweep import comparison, error_line, ranked_by


@pytest.fixture
def job(tmp_path):
    def made(number: int, overrides: dict[str, str], *, val=None, test=None, error=None) -> Job:
        out = tmp_path / str(number)
        (out / "model").mkdir(parents=True)
        data = {} if val is None else {"val_auc": val}
        (out / "model" / "model.yaml").write_text(json.dumps({"data": data}))
        if test is not None:
            auc = {"value": test, "low": test - 0.1, "high": test + 0.1}
            (out / "scorecard.json").write_text(json.dumps({"metrics": {"roc_auc": auc}}))
        return Job(number, overrides, out, error)

    return made


def test_the_best_on_validation_is_first_and_what_failed_is_last(job):
    found = comparison(
        [
            job(0, {"a": "1", "seed": "0"}, val=0.9, test=0.5, error=ConfigError("it broke", next_step="mend it")),
            job(1, {"a": "2", "seed": "0"}, val=0.6, test=0.9),
            job(2, {"a": "3", "seed": "0"}, val=0.7, test=0.8),
        ]
    )
    assert found.columns == ["job", "a", "val_auc", "test_auc", "test_auc_low", "test_auc_high", "error"]
    assert found["job"].to_list() == [2, 1, 0]
    assert found["a"].to_list() == ["3", "2", "1"]
    assert found.row(0)[2:] == pytest.approx((0.7, 0.8, 0.7, 0.9, None))
    # What lies in a failed job's folder is another run's.
    assert found.row(2)[2:] == (None, None, None, None, "it broke")
    assert ranked_by(found) == "val_auc"


def test_without_a_figure_for_each_job_the_test_split_ranks(job):
    found = comparison([job(0, {"fit": "all"}, val=0.9, test=0.5), job(1, {"fit": "head"}, test=0.6)])
    assert ranked_by(found) == "test_auc"
    assert found["job"].to_list() == [1, 0]


def test_jobs_without_any_figure_stay_in_order(job):
    found = comparison([job(1, {"seed": "1"}), job(0, {"seed": "0"})])
    assert found["job"].to_list() == [0, 1]
    assert found["test_auc"].null_count() == 2


def test_an_override_that_some_jobs_lack(job):
    found = comparison([job(0, {"seed": "1"}, test=0.4), job(1, {"seed": "1", "fit": "head"}, test=0.3)])
    assert found.columns[:2] == ["job", "fit"]
    assert found["fit"].to_list() == [None, "head"]


def test_an_error_is_one_line():
    assert error_line(ConfigError("two\n  lines", next_step="mend")) == "two lines"
    assert error_line(KeyError("nose")) == "KeyError: 'nose'"
