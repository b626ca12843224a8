"""ASVspoof 2021 DF: three speakers out of the three corpora, in two of the archives, each in a folder of its own."""

from __future__ import annotations

from pathlib import Path

from tests.fakes.made import Made
from tests.fakes.media import make_sound

#: Of each utterance, all that the key says but its name.
KEY = (
    ("LA_0023", "nocodec asvspoof A14 spoof notrim progress traditional_vocoder - - - -"),
    ("LA_0023", "low_mp3 asvspoof - bonafide notrim eval bonafide - - - -"),
    ("LA_0023", "oggm4a asvspoof A09 spoof trim hidden waveform_concatenation - - - -"),
    ("TEF2", "low_m4a vcc2020 Task1-team20 spoof notrim eval neural_vocoder_nonautoregressive Task1 team20 FF E"),
    ("TEF2", "nocodec vcc2020 - bonafide notrim eval bonafide - - - E"),
    ("VCC2TF1", "high_ogg vcc2018 HUB-B01 spoof notrim eval traditional_vocoder HUB B01 FF -"),
)


def build(root: Path) -> list[Made]:
    made, lines = [], []
    for number, (speaker, rest) in enumerate(KEY):
        name = f"DF_E_20000{number:02d}"
        path = f"ASVspoof2021_DF_eval_part0{number % 2}/ASVspoof2021_DF_eval/flac/{name}.flac"
        lines.append(f"{speaker} {name} {rest}")
        made.append(Made(name, path, int(" spoof " in rest), None, speaker, "test"))
        make_sound(root / path)
    key = root / "keys/DF/CM/trial_metadata.txt"
    key.parent.mkdir(parents=True)
    key.write_text("\n".join(lines) + "\n")
    return made
