"""``challenge.yaml``: every fault at once, by key, with the remedy; nothing in it can do harm."""

from datetime import UTC, datetime, timedelta

import pytest

from unmask.challenge.definition import Definition, Limits, Phase, read_definition, write_definition
from unmask.tables.errors import ChallengeError

GOOD = {"name": "Toy", "metric": "log_loss", "answers": "answers.csv", "sha256": f"'{'0' * 64}'"}


def written(folder, text="", **changes):
    lines = [f"{key}: {value}" for key, value in (GOOD | changes).items() if value is not None]
    (folder / "challenge.yaml").write_text(text or "\n".join(lines))
    return folder


def refusal(folder):
    with pytest.raises(ChallengeError) as caught:
        read_definition(folder)
    return str(caught.value)


def test_round_trip(tmp_path):
    definition = Definition("Ünï: #1 'x'", "eer", "a.csv", "0" * 64, digits=3, clip=1e-15, show=("score",))
    write_definition(definition, tmp_path)
    assert read_definition(tmp_path) == definition


def test_round_trip_of_everything(tmp_path):
    opens = datetime(2026, 1, 1, tzinfo=UTC)
    phases = tuple(Phase(f"p{n}", opens + timedelta(days=n), opens + timedelta(days=n + 1)) for n in range(3))
    definition = Definition(
        "All", "log_loss", "a.csv", "0" * 64, tie_breakers=("roc_auc", "eer"), prevalence=0.01, budget=0.05,
        slices=("method",), media=("video", "audio"), tracks=("open", "closed"), pages={"rules": "rules.md"},
        phases=phases, limits=Limits(daily=3, total=50, failures=7, megabytes=9, minutes=2), finals=1, ladder=True,
        registration="open",
    )  # fmt: skip
    write_definition(definition, tmp_path)
    assert read_definition(tmp_path) == definition
    assert definition.phase(phases[1].opens) == phases[1]
    assert definition.phase(phases[2].closes) is None


def test_dates_have_a_zone_and_are_kept_in_it(tmp_path):
    text = "phases: [{name: a, opens: 2026-01-01T00:00:00+02:00, closes: 2026-01-31T23:59:59Z}]"
    phase = read_definition(written(tmp_path, phases=text.partition(": ")[2])).phases[0]
    assert phase.opens == datetime(2025, 12, 31, 22, tzinfo=UTC)


def test_defaults_and_numbers_that_yaml_reads_as_text(tmp_path):
    assert read_definition(written(tmp_path)).digits == 4
    assert read_definition(written(tmp_path, clip="1e-7")).clip == 1e-7


@pytest.mark.parametrize(
    ("key", "value"),
    [("name", "''"), ("name", "[1]"), ("name", '"a\\nb"'), ("metric", "accuracy"), ("metric", "[[1]]"),
     ("answers", "../answers.csv"), ("answers", "/etc/x.csv"), ("answers", "a/b.csv"), ("answers", "answers.txt"),
     ("answers", "-x.csv"), ("sha256", "abc"), ("sha256", "12"), ("digits", "0"), ("digits", "99"), ("digits", "true"),
     ("digits", "4.0"), ("clip", "0"), ("clip", "0.5"), ("clip", ".nan"), ("clip", "1e-20"), ("threshold", "2"),
     ("seed", "-1"), ("replicates", "0"), ("replicates", "10000000"), ("show", "score"), ("show", "[labels]"),
     ("metric", None), ("sha256", None), ("labels", "x"), ("1", "x"), ("prevalence", "0"), ("budget", "1"),
     ("tie_breakers", "[accuracy]"), ("tie_breakers", "[eer, eer]"), ("tie_breakers", "[log_loss]"),
     ("media", "[text]"), ("tracks", "open"), ("tracks", "[a, a]"), ("slices", "[1]"), ("finals", "0"),
     ("ladder", "1"), ("registration", "closed"), ("pages", "[a.md]"), ("limits", "5"), ("phases", "{}"),
     ("phases", "[1]")],
)  # fmt: skip
def test_a_wrong_key_is_named_with_its_remedy(tmp_path, key, value):
    text = refusal(written(tmp_path, **{key: value}))
    assert f"{key}:" in text or f'"{key}":' in text
    assert " — " in text


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("limits: {daily: 0}", "line 5: limits.daily: "),
        ("limits:\n  total: 5\n  weekly: 3", "line 7: limits.weekly: not a key"),
        ("pages: {rules: ../rules.md}", "line 5: pages.rules: "),
        ("pages: {rules: rules.html}", "pages.rules: "),
        ("pages: {secrets: s.md}", "pages.secrets: not a key"),
        ("phases:\n- {name: a}", "phases.0.opens: missing"),
        ("phases:\n- {name: a, opens: 2026-01-01, closes: 2026-01-02T00:00:00Z}", "line 6: phases.0.opens: "),
        ("phases:\n- {name: a, opens: 2026-01-01T00:00:00, closes: 2026-01-02T00:00:00Z}", "phases.0.opens: "),
        ("phases:\n- {name: a, opens: 2026-01-03T00:00:00Z, closes: 2026-01-02T00:00:00Z}", "phases.0.closes: "),
        (
            "phases:\n- {name: a, opens: 2026-01-01T00:00:00Z, closes: 2026-01-03T00:00:00Z}\n"
            "- {name: a, opens: 2026-01-02T00:00:00Z, closes: 2026-01-04T00:00:00Z}",
            "line 7: phases.1.opens: before",
        ),
    ],
)  # fmt: skip
def test_faults_inside_name_line_and_key(tmp_path, text, told):
    lines = [f"{key}: {value}" for key, value in GOOD.items()]
    assert told in refusal(written(tmp_path, "\n".join([*lines, text])))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("media: [picture]", '"picture" cannot be used — write a list such as [video]'),
        ("media: [viedo]", "did you mean video?"),
        ("media: video", '"video" cannot be used — write a list'),
        ("tracks: [{name: open}]", "[{name: ...}] cannot be used — write a list of names"),
        ("slices: [b, a, a]", "none twice"),
        ("name:", "name: it is empty"),
        ("name: ", "name: it is empty"),
        ("metrc: eer", "line 5: metrc: not a key that is known here — did you mean metric?"),
        ("limits: {minuts: 3}", "limits.minuts: not a key that is known here — did you mean minutes?"),
        ("metric: ruc_auc", '"ruc_auc" cannot be used — did you mean roc_auc? write one of those that unmask metrics'),
        ("digits: true", "digits: true cannot be used"),
        ("phases: [{name: a, opens: 2026-01-01}]", '"2026-01-01" has no time — write that, too: 2026-01-01T00:00:00Z'),
        ("phases: [{name: a, opens: 2026-01-01T10:00:00}]", "no time zone — add Z for UTC: 2026-01-01T10:00:00Z"),
        ("phases: [{name: a, opens: '2026-01-01T10:00:00Z'}]", "write it without quotes"),
        ("phases:\n- {name: a, opens: 2026-01-01T10:00:00Z}", "line 6: phases.0.closes: missing"),
        ("phases: [{name: a, closes: 2026-02-30T00:00:00Z}]", "line 5: phases.0.closes: \"2026-02-30T00:00:00Z\""),
        ("phases: [{name: a, closes: 2026-02-28T25:00:00Z}]", "there is no such day, or no such time"),
    ],
)  # fmt: skip
def test_a_message_shows_what_stands_there_and_what_may_have_been_meant(tmp_path, text, told):
    key = text.partition(":")[0]
    lines = [f"{name}: {value}" for name, value in GOOD.items() if name != key]
    lines += [""] * (key in GOOD)  # the line is the fifth, whatever stood before
    assert told in refusal(written(tmp_path, "\n".join([*lines, text])))


def test_a_day_that_there_is_not_hides_no_other_fault(tmp_path):
    text = refusal(written(tmp_path, phases="[{name: a, opens: 2026-01-01T00:00:00Z, closes: 2026-02-30}]", digits="0"))
    assert text.startswith("2 problems")
    assert "there is no such day" in text


def test_no_list_of_names_is_endless(tmp_path):
    assert max(map(len, refusal(written(tmp_path, metric="x", tie_breakers="[y]")).splitlines())) < 160


def test_all_faults_at_once(tmp_path):
    text = refusal(written(tmp_path, metric="x", digits="0", colour="red", sha256=None))
    assert text.startswith("4 problems")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("name: [", "not YAML"),
        ("- a\n- b", "no keys"),
        ("just text", "no keys"),
        ("!!python/object/apply:os.system ['true']", "not YAML"),
        ("a: &a [1, 1]\nb: *a", "alias"),
        ("name: a\nname: b", 'line 2: the key "name" stands more than once — keep one'),
        ("name: Faces: the 2nd", "put a text that has a colon in quotes"),
        ("[" * 20_000, "not YAML"),
        ("\x00", "not YAML"),
        ("#" * 70_000, "bytes"),
        ("{a: 1}: 2", "not YAML"),
        (" ", "no keys"),
    ],
)
def test_text_that_is_no_definition(tmp_path, text, told):
    assert told in refusal(written(tmp_path, text))


def test_missing_file_tells_how_to_make_one(tmp_path):
    assert "unmask challenge init" in refusal(tmp_path)
