"""ASVspoof 5: audiobooks read by volunteers, attacked by thirty-two systems, in part against detectors, through codecs.

Source: https://zenodo.org/records/14498691 (data/asvspoof5.md).
Licence: Open Data Commons Attribution (ODC-By) 1.0; the bona fide speech CC BY 4.0.
Counts: train 182,357 = 18,797 real + 163,560 fake, dev 140,950 = 31,334 + 109,616, eval 680,774 = 138,688 + 542,086;
400, 785 and 737 speakers.
Citation: Wang et al., ASVspoof 5: Crowdsourced Speech Data, Deepfakes, and Adversarial Attacks at Scale, ASVspoof 2024.

Layout; the folders may lie one level further down, as ``ASVspoof5_train/flac_T``::

    flac_T/T_0000000000.flac  flac_D/D_0000000001.flac  flac_E_eval/E_0000000024.flac
    ASVspoof5.train.tsv  ASVspoof5.dev.track_1.tsv  ASVspoof5.eval.track_1.tsv        also in ASVspoof5_protocols/

A line of a protocol is ``<speaker> <utterance> <gender> <codec> <codec_q> <codec_seed> <attack_tag> <attack> <key> -``:
``D_0062 D_0000000001 F - - - AC1 A11 spoof -``. Its cells are parted by blanks in spite of the ending, and the attack
of a bona fide utterance is ``bonafide``.

How it is read: ids are the names of the utterances, as in score files. ``method`` is the attack, ``subject_id`` the
speaker, ``compression`` the codec (``nocodec``: none), ``codec_seed`` the utterance before it was coded; ``gender``,
``codec_q`` and ``attack_tag`` are what the README says. Train is train, dev is validation, eval is test, and no attack
is in two of them. Utterances that enrol speakers for verification (``D_A...``, ``E_A...``) are left out: no key.
"""

from __future__ import annotations

from pathlib import Path

from unmask.datasets.asvspoof_protocol import BLANK, Form, Part, folders_called, in_row, note_speakers, read_part
from unmask.datasets.base import About, Adapter, Options, Row
from unmask.datasets.files import folders
from unmask.datasets.report import Report

FORM = Form(
    columns=(
        *("speaker", "name", "gender", "codec", "codec_q", "codec_seed"),
        *("attack_tag", "attack", "key", "reserved"),
    ),
    name=r"[TDE]_A?\d{10}",
    real="bonafide",
    example="D_0062 D_0000000001 F - - - AC1 A11 spoof -",
)
PARTS = (
    Part("train", "train", "ASVspoof5.train.tsv", 182_357),
    Part("dev", "validation", "ASVspoof5.dev.track_1.tsv", 140_950),
    Part("eval", "test", "ASVspoof5.eval.track_1.tsv", 680_774),
)
#: What the folders of a part begin with.
SOUND = {"train": "flac_T", "dev": "flac_D", "eval": "flac_E"}
PROTOCOLS = "ASVspoof5_protocols"


def read(root: Path, options: Options, report: Report) -> list[Row]:
    """The rows of every part whose sound is there."""
    sound = folders_called("flac_", [root])
    tops = [root, *(root / name for name in folders(root) if root / name not in sound)]
    place = options.splits or root
    places = [place, *folders_called(PROTOCOLS, [place])]
    rows: list[Row] = []
    for part in PARTS:
        homes = folders_called(SOUND[part.name], tops)
        for name, path, cells in read_part(part, homes, places, FORM, root, report):
            rows.append(_row(name, path, cells, part.split))
    note_speakers(rows, report)
    return rows


def _row(name: str, path: str, cells: tuple[str, ...], split: str) -> Row:
    speaker, _, gender, codec, quality, seed, tag, attack, key, _ = cells
    row = in_row(name, path, key, attack, split)
    row["subject_id"] = speaker
    # An empty cell of a real would count for every codec, so what was not coded gets a name.
    row["compression"] = "nocodec" if codec == BLANK else codec
    row["gender"] = gender
    row["codec_q"] = "0" if quality == BLANK else quality
    row["codec_seed"] = None if seed == BLANK else seed
    row["attack_tag"] = None if tag == BLANK else tag
    return row


ADAPTER = Adapter(
    name="asvspoof5",
    title="ASVspoof 5",
    layout="flac_T/, flac_D/, flac_E_eval/ and ASVspoof5_protocols/ with ASVspoof5.train.tsv and its like",
    about=About(
        ("audio",),
        188_819,
        815_262,
        1922,
        "ODC-By 1.0; real speech CC BY 4.0",
        "open, https://zenodo.org/records/14498691",
    ),
    read=read,
    options=frozenset({"splits"}),
)
