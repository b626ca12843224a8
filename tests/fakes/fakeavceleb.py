"""FakeAVCeleb with ten people who were swapped in pairs, in all four categories, and its table."""

from __future__ import annotations

from pathlib import Path

from tests.fakes.made import Made
from tests.fakes.media import make_clip

HEADER = "source,target1,target2,method,category,type,race,gender,path,"
#: race, gender, two people.
PAIRS = (
    ("African", "men", "id00076", "id00166"),
    ("African", "women", "id00220", "id00460"),
    ("Asian (East)", "women", "id03940", "id06462"),
    ("Caucasian (American)", "men", "id00088", "id01124"),
    ("Caucasian (European)", "women", "id00491", "id01002"),
)
CLIP = "00109"


def build(root: Path) -> list[Made]:
    made = []
    lines = [HEADER]
    for race, gender, *pair in PAIRS:
        for person, donor in (pair, pair[::-1]):
            files = (
                ("RealVideo-RealAudio", "A", f"{CLIP}.mp4", "-", "real"),
                ("RealVideo-FakeAudio", "B", f"{CLIP}_fake.mp4", "-", "rtvc"),
                ("FakeVideo-RealAudio", "C", f"{CLIP}_{donor}_AAnyugIAXao.mp4", donor, "faceswap"),
                ("FakeVideo-FakeAudio", "D", f"{CLIP}_{donor}_wavtolip.mp4", donor, "wav2lip"),
            )
            for kind, category, name, target, method in files:
                folder = f"{kind}/{race}/{gender}/{person}"
                label = int(kind.startswith("Fake"))
                made.append(Made(f"{folder}/{name}", f"{folder}/{name}", label, f"{person}/{CLIP}", person))
                cells = (person, target, "-", method, category, kind, race, gender, name, f"FakeAVCeleb/{folder}")
                lines.append(",".join(cells))
    for each in made:
        make_clip(root / each.path, seed=each.path)
    (root / "meta_data.csv").write_text("\n".join(lines) + "\n")
    return made
