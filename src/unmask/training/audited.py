"""The audit that a run demands of its manifests where its config names one: ``audit=FILE``."""

from __future__ import annotations

from pathlib import Path

from omegaconf import DictConfig, OmegaConf

from unmask.tables.audited import require_clean


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
    named = OmegaConf.to_container(config.manifest) if OmegaConf.is_dict(config.manifest) else {"": config.manifest}
    manifests = [Path(str(manifest)) for manifest in dict(named).values()]  # type: ignore[arg-type]
    require_clean(Path(str(config.audit)), manifests, without="train without audit=...")
