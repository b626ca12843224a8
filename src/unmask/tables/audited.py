"""The audit that a run or a challenge may demand of its manifests: what ``unmask audit --json FILE`` wrote."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from unmask.tables.errors import ConfigError, UnmaskError
from unmask.tables.hashing import sha256

#: Findings that are told of an audit; it holds the others.
_TOLD = 5


def require_clean(audit: Path, manifests: Sequence[Path], *, without: str, more_may_be_audited: bool = False) -> None:
    """Refuse manifests whose audit is not there, has findings, or is of others.

    Args:
        audit: ``audit.json``.
        manifests: all of them must be what was audited, to the byte.
        without: what leaves the audit out, for the error to tell.
        more_may_be_audited: whether the audit may be of other manifests as well.

    Raises:
        ConfigError: they are refused.
        UnmaskError: a manifest is missing.
    """
    again = f"run unmask audit {' '.join(map(str, manifests))} --json {audit}"
    audited, findings = _read(audit, again)
    used = {_sha256(manifest): str(manifest) for manifest in manifests}
    other = [f"{manifest} is not what was audited" for digest, manifest in used.items() if digest not in audited]
    if not more_may_be_audited:
        other += [f"{name} was audited and is not used" for digest, name in audited.items() if digest not in used]
    if other:
        raise ConfigError("\n  ".join(["the audit is of other manifests:", *other]), where=audit, next_step=again)
    if findings:
        more = [f"... and {len(findings) - _TOLD} more"] if len(findings) > _TOLD else []
        count = "1 finding" if len(findings) == 1 else f"{len(findings)} findings"
        raise ConfigError(
            "\n  ".join([f"the audit has {count}:", *findings[:_TOLD], *more]),
            where=audit,
            next_step=f"mend the data and audit it again, or {without}",
        )


def _read(path: Path, again: str) -> tuple[Mapping[str, str], list[str]]:
    """SHA-256 -> path of the manifests that were audited, and what was found."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        audited = dict(zip(content["manifest_sha256"], content["manifests"], strict=True))
        return audited, [str(finding["what"]) for finding in content["findings"]]
    except FileNotFoundError as error:
        raise ConfigError("there is no such audit", where=path, next_step=again) from error
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ConfigError("this is no audit", where=path, next_step=again) from error


def _sha256(manifest: Path) -> str:
    try:
        return sha256(manifest)
    except OSError as error:
        raise UnmaskError(
            f"the manifest cannot be read ({error.strerror})", where=manifest, next_step="check the path"
        ) from error
