"""What the names of clips tell, for collections that took their videos from datasets with names that speak."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Clip:
    """What a name tells.

    Attributes:
        form: the dataset whose names are of this form.
        source: the name of the original; an original's own name.
        subject: who is seen, None where the name does not tell.
        donor: whose face was put there, None for an original.
    """

    form: str
    source: str
    subject: str | None = None
    donor: str | None = None


#: Dataset -> forms of its names. A group ``scene`` is what is left of the original's name behind its subject.
_FORMS = {
    "FaceForensics++": (r"(?P<source>\d{3})(?:_(?P<donor>\d{3}))?",),
    "DeeperForensics": (r"(?P<source>\d{3})_(?P<donor>[MW]\d{3})",),
    "Celeb-DF": (r"(?P<subject>id\d+)(?:_(?P<donor>id\d+))?(?P<scene>_\d{4})", r"(?P<source>\d{5})"),
    "DFD": (r"(?P<subject>\d{2})(?P<scene>__\D.*)", r"(?P<subject>\d{2})_(?P<donor>\d{2})(?P<scene>__.+)__\w{8}"),
    "UADFV": (r"(?P<source>\d{4})(?:_fake)?",),
}
_COMPILED = [(form, re.compile(pattern, re.ASCII)) for form, patterns in _FORMS.items() for pattern in patterns]


def read_name(name: str) -> Clip | None:
    """What the name of a clip, without its ending, tells; None where it is of no known form.

    In ``071_054`` and ``id0_id1_0000`` the first is the target, whose clip it was, and the second the donor.
    """
    for form, pattern in _COMPILED:
        match = pattern.fullmatch(name)
        if match:
            told = match.groupdict()
            subject = told.get("subject")
            source = told.get("source") or f"{subject}{told['scene']}"
            return Clip(form, source, subject, told.get("donor"))
    return None
