"""ASVspoof 2021 DF: speech and forged speech as it comes off the net, through lossy codecs. A test set, nothing else.

Source: https://zenodo.org/records/4835108; the keys apart, from https://www.asvspoof.org/index2021.html
(data/asvspoof2021_df.md).
Licence: Open Data Commons Attribution (ODC-By) 1.0.
Counts: 611,829 = 22,617 real + 589,212 fake; of these, phase eval has 533,928 = 14,869 + 519,059.
Citation: Liu et al., ASVspoof 2021: Towards Spoofed and Deepfake Speech Detection in the Wild, IEEE/ACM TASLP 31, 2023.

Layout; the four archives may be unpacked into one folder or each into its own::

    ASVspoof2021_DF_eval/flac/DF_E_2000011.flac         also ASVspoof2021_DF_eval_part00/ASVspoof2021_DF_eval/flac/
    keys/DF/CM/trial_metadata.txt                       also DF-keys-full/keys/DF/CM/ or beside the sound

A line of the key has thirteen cells: speaker, utterance, codec, corpus, attack, key, trim, phase, kind of vocoder, and
four more, which are not read: ``LA_0023 DF_E_2000011 nocodec asvspoof A14 spoof notrim progress traditional_vocoder -
- - -``.

How it is read: ids are the names of the utterances, as in score files. All of it is test. ``method`` is the attack,
``subject_id`` the speaker, ``compression`` the codec (``nocodec``: none); ``corpus`` (asvspoof, vcc2018, vcc2020),
``phase`` (progress, eval, hidden), ``trim`` and ``vocoder`` are slices. Published numbers are those of phase eval.
Without the key there are no labels.
"""

from __future__ import annotations

from pathlib import Path

from unmask.datasets.asvspoof_protocol import (
    BLANK,
    KEYS,
    Form,
    folder_at,
    folders_called,
    in_row,
    read_protocol,
    sound_files,
)
from unmask.datasets.base import About, Adapter, Options, Row
from unmask.datasets.files import find_file
from unmask.datasets.report import Report
from unmask.tables.errors import DatasetError

FORM = Form(
    columns=(
        *("speaker", "name", "codec", "corpus", "attack", "key", "trim", "phase", "vocoder"),
        *("task", "team", "genders", "language"),
    ),
    name=r"DF_E_\d{7}",
    real="-",
    example="LA_0023 DF_E_2000011 nocodec asvspoof A14 spoof notrim progress traditional_vocoder - - - -",
)
KEY = "trial_metadata.txt"
#: Folders in which the key lies, below the root or the folder of ``--splits``.
KEY_FOLDERS = ("keys/DF/CM", "DF-keys-full/keys/DF/CM", "DF/CM", "CM")
SOUND = "ASVspoof2021_DF_eval"
EXPECTED = 611_829
UNLISTED = f"files that {KEY} does not name, left out"


def read(root: Path, options: Options, report: Report) -> list[Row]:
    """The rows of every ``flac`` folder that is there."""
    rows = []
    path = _find_key(root, options.splits)
    listed = read_protocol(path, FORM) if path else {}
    for home in _homes(root):
        for name, file in sound_files(home, root, FORM, report):
            cells = listed.get(name)
            if cells:
                rows.append(_row(name, file, cells))
            elif listed:
                report.add_odd(UNLISTED, file)
            else:
                rows.append({"id": name, "path": file, "media": "audio", "split": "test", "split_rule": "official"})
    report.count("utterances", EXPECTED, len(rows))
    if rows and not path:
        report.warn(
            f"there is no {KEY}, so nothing says what is real and what is fake, and no score can be computed: put the "
            "folder keys/ of DF-keys-full.tar.gz into the root, or name it with --splits"
        )
    if path and len(listed) != EXPECTED:
        report.note(
            f"{KEY} names {len(listed):,} utterances where the published one names {EXPECTED:,}: numbers will not "
            "compare with published ones"
        )
    return rows


def _find_key(root: Path, given: Path | None) -> Path | None:
    top = given or root
    if given and not given.is_dir():
        raise DatasetError("there is no such folder", where=given, next_step=f"name the one that holds {KEY}")
    places = [top, *filter(None, (folder_at(top, folder) for folder in KEY_FOLDERS))]
    path = find_file(places if given else [*places, *folders_called(SOUND, [root])], KEY)
    if path is None and given:
        raise DatasetError(f"there is no {KEY}", where=given, next_step="name the folder that it lies in")
    return path


def _homes(root: Path) -> list[Path]:
    """The folders with sound: in the root, in a folder of the dataset's name, or in one such that lies in another."""
    outer = folders_called(SOUND, [root])
    tops = [root, *outer, *folders_called(SOUND, outer)]
    return [*filter(None, (folder_at(top, "flac") for top in tops))]


def _row(name: str, path: str, cells: tuple[str, ...]) -> Row:
    speaker, _, codec, corpus, attack, key, trim, phase, vocoder, *_ = cells
    row = in_row(name, path, key, attack, "test")
    row |= {"subject_id": speaker, "compression": codec, "corpus": corpus, "phase": phase, "trim": trim}
    row["vocoder"] = vocoder if KEYS[key] and vocoder != BLANK else None
    return row


ADAPTER = Adapter(
    name="asvspoof2021_df",
    title="ASVspoof 2021 DF",
    layout="ASVspoof2021_DF_eval/flac/ and keys/DF/CM/trial_metadata.txt",
    about=About(("audio",), 22_617, 589_212, None, "ODC-By 1.0", "open, https://zenodo.org/records/4835108"),
    read=read,
    options=frozenset({"splits"}),
)
