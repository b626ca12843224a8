"""The audit that a run may demand of its manifests: ``audit=FILE``, what ``unmask audit --json FILE`` wrote."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from omegaconf import DictConfig, OmegaConf

from unmask.inference.predict import sha256
from unmask.tables.errors import ConfigError, UnmaskError

#: Findings that are told of an audit; it holds the others.
_TOLD = 5


def check_audit(config: DictConfig) -> None:
    """Refuse a run whose audit is not there, has findings, or is of other manifests; one that names no audit may go on.

    Args:
        config: composed from ``configs/train.yaml``, its values checked.

    Raises:
        ConfigError: the run is refused.
        UnmaskError: a manifest is missing.
    """
    if config.audit is None:
        return
    path = Path(str(config.audit))
    named = OmegaConf.to_container(config.manifest) if OmegaConf.is_dict(config.manifest) else {"": config.manifest}
    manifests = [Path(str(manifest)) for manifest in dict(named).values()]  # type: ignore[arg-type]
    again = f"run unmask audit {' '.join(map(str, manifests))} --json {path}"
    audited, findings = _read(path, again)
    used = {_sha256(manifest): str(manifest) for manifest in manifests}
    other = [f"{manifest} is not what was audited" for digest, manifest in used.items() if digest not in audited]
    other += [f"{manifest} was audited and is not used" for digest, manifest in audited.items() if digest not in used]
    if other:
        raise ConfigError("\n  ".join(["the audit is of other manifests:", *other]), where=path, next_step=again)
    if findings:
        more = [f"... and {len(findings) - _TOLD} more"] if len(findings) > _TOLD else []
        count = "1 finding" if len(findings) == 1 else f"{len(findings)} findings"
        raise ConfigError(
            "\n  ".join([f"the audit has {count}:", *findings[:_TOLD], *more]),
            where=path,
            next_step="mend the data and audit it again, or train without audit=...",
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
