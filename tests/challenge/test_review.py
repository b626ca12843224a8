"""What the check of a whole challenge finds in its pages, slices and dates."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from unmask.challenge.definition import Phase, read_definition, write_definition
from unmask.challenge.folder import open_challenge
from unmask.challenge.review import check_challenge, find_unready
from unmask.tables.errors import ChallengeError


def change(folder, **said):
    write_definition(replace(read_definition(folder), **said), folder)
    return folder


def refusal(folder):
    with pytest.raises(ChallengeError) as caught:
        check_challenge(folder)
    return str(caught.value)


def test_pages_that_are_not_there_or_no_text(challenge):
    (challenge / "rules.md").unlink()
    (challenge / "data.md").write_bytes(b"\xff\xfe")
    told = refusal(challenge)
    assert told.startswith("2 problems")
    assert "pages.rules: the page rules.md cannot be read: No such file" in told
    assert "pages.data: the page data.md cannot be read: it is not UTF-8" in told


@pytest.mark.parametrize(
    ("name", "told"),
    [("metod", "no column"), ("cluster", "must not know"), ("label", "must not know"), ("source_id", "must not know")],
)
def test_slices_that_cannot_be_shown(challenge, name, told):
    said = refusal(change(challenge, slices=("method", name)))
    assert said.startswith("1 problem ")
    assert f'slices: "{name}"' in said
    assert told in said
    assert 'write any of "media", "dataset", "method"' in said


def test_slices_that_can_be_shown(challenge):
    assert check_challenge(change(challenge, slices=("method", "dataset"))).definition.slices == ("method", "dataset")


def test_texts_that_nobody_has_written_yet(challenge):
    (told,) = find_unready(open_challenge(challenge))
    assert told.startswith("overview.md, rules.md, data.md, prizes.md: ")
    for page in ("overview", "rules", "data", "prizes"):
        (challenge / f"{page}.md").write_text("*Written*, and here is *write here* in small letters")
    assert find_unready(open_challenge(challenge)) == []


@pytest.mark.parametrize(("hours", "over"), [(-1, True), (1, False)])
def test_phases_that_are_over(challenge, hours, over):
    closes = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=hours)
    middle = closes - timedelta(days=1)
    phases = (Phase("a", middle - timedelta(days=1), middle), Phase("b", middle, closes))
    told = find_unready(open_challenge(change(challenge, phases=phases, pages={})))
    assert [f"{closes:%Y-%m-%d %H:%M} UTC" in each for each in told] == [True] * over
