"""ASVspoof 2019, logical access: read speech, and what nineteen systems of synthesis and voice conversion made of it.

Source: https://datashare.ed.ac.uk/handle/10283/3336, LA.zip (data/asvspoof2019_la.md).
Licence: Open Data Commons Attribution (ODC-By) 1.0.
Counts: train 25,380 = 2,580 real + 22,800 fake, dev 24,844 = 2,548 + 22,296, eval 71,237 = 7,355 + 63,882.
Speakers: 107 = 20, 20 and 67.
Citation: Wang et al., ASVspoof 2019: A large-scale public database of synthesized, converted and replayed speech,
Computer Speech & Language 64, 2020.

Layout; LA/ may be the root itself, or lie in another LA/::

    LA/ASVspoof2019_LA_{train,dev,eval}/flac/LA_T_1138215.flac      _T_ train, _D_ dev, _E_ eval
    LA/ASVspoof2019_LA_cm_protocols/ASVspoof2019.LA.cm.{train.trn,dev.trl,eval.trl}.txt

A line of a protocol is ``<speaker> <utterance> - <attack> <key>``: ``LA_0079 LA_T_1271820 - A01 spoof``; the third cell
is not used, and the attack of a bona fide utterance is ``-``.

How it is read: ids are the names of the utterances, as in score files. ``method`` is the attack, ``subject_id`` the
speaker: of a fake, whose voice it imitates. Train is train, dev is validation, eval is test, which has attacks of its
own: A07 to A19. Utterances that enrol speakers for verification have no key and are left out.
"""

from __future__ import annotations

from pathlib import Path

from unmask.datasets.asvspoof_protocol import Form, Part, folder_at, in_row, note_speakers, read_part
from unmask.datasets.base import About, Adapter, Options, Row
from unmask.datasets.report import Report

FORM = Form(
    columns=("speaker", "name", "unused", "attack", "key"),
    name=r"LA_[TDE]_\d{7}",
    real="-",
    example="LA_0079 LA_T_1271820 - A01 spoof",
)
PARTS = (
    Part("train", "train", "ASVspoof2019.LA.cm.train.trn.txt", 25_380),
    Part("dev", "validation", "ASVspoof2019.LA.cm.dev.trl.txt", 24_844),
    Part("eval", "test", "ASVspoof2019.LA.cm.eval.trl.txt", 71_237),
)
PROTOCOLS = "ASVspoof2019_LA_cm_protocols"


def read(root: Path, options: Options, report: Report) -> list[Row]:
    """The rows of every part whose sound is there."""
    tops = [root, *filter(None, (folder_at(root, "LA"), folder_at(root, "LA/LA")))]
    places = [*filter(None, (folder_at(top, PROTOCOLS) for top in tops)), *tops]
    if options.splits:
        places = [options.splits, *filter(None, [folder_at(options.splits, PROTOCOLS)])]
    rows: list[Row] = []
    for part in PARTS:
        homes = [*filter(None, (folder_at(top, f"ASVspoof2019_LA_{part.name}/flac") for top in tops))]
        for name, path, cells in read_part(part, homes, places, FORM, root, report):
            speaker, _, _, attack, key = cells
            rows.append(in_row(name, path, key, attack, part.split) | {"subject_id": speaker})
    note_speakers(rows, report)
    return rows


ADAPTER = Adapter(
    name="asvspoof2019_la",
    title="ASVspoof 2019 LA",
    layout="LA/ASVspoof2019_LA_train/flac/, the same of dev and eval, and LA/ASVspoof2019_LA_cm_protocols/",
    about=About(("audio",), 12_483, 108_978, 107, "ODC-By 1.0", "open, https://datashare.ed.ac.uk/handle/10283/3336"),
    read=read,
    options=frozenset({"splits"}),
)
