"""Weights from a file of the user's disk, read without running anything that it may hold."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor, nn


def read_weights(path: str | Path) -> dict[str, Tensor]:
    """The tensors of a ``.safetensors`` file or of a PyTorch state dict, which may lie under "state_dict".

    Raises:
        OSError: it cannot be opened.
        ValueError: it holds no weights, or more than weights.
    """
    path = Path(path)
    try:
        state: Any = load_file(path) if path.suffix == ".safetensors" else torch.load(path, "cpu", weights_only=True)
    except OSError:
        raise
    except Exception as error:  # the unpickler fails in whatever way the bytes lead it to
        raise ValueError(f"{path} holds no weights that can be read safely") from error
    state = state.get("state_dict", state) if isinstance(state, dict) else {}
    if not state or not all(isinstance(value, Tensor) for value in state.values()):
        raise ValueError(f"{path} holds no state dict")
    found: dict[str, Tensor] = state
    return found


def load_weights(module: nn.Module, path: str | Path) -> None:
    """Fill a network from a file: by the network's own names, or by order where another implementation saved it.

    Raises:
        OSError: the file cannot be opened.
        ValueError: it holds no weights, or those of another network.
    """
    state, own = read_weights(path), module.state_dict()
    if own.keys() <= state.keys():
        load_by_order(module, {name: state[name] for name in own})
    else:
        load_by_order(module, state)


def load_by_order(module: nn.Module, state: dict[str, Tensor]) -> None:
    """Load weights that another implementation saved under other names, tensor by tensor in order.

    Args:
        module: whose parameters and buffers are filled.
        state: may end in further tensors (a classifier), which are left out.

    Raises:
        ValueError: a shape, or the last part of a name, differs: then the two are not the same network.
    """
    own = module.state_dict()
    if len(state) < len(own):
        raise ValueError(f"the weights hold {len(state)} tensors, the network has {len(own)}")
    for (name, value), (other, given) in zip(own.items(), state.items(), strict=False):
        if value.shape != given.shape or name.rpartition(".")[2] != other.rpartition(".")[2]:
            raise ValueError(f"{other} {tuple(given.shape)} does not fit {name} {tuple(value.shape)}")
    module.load_state_dict(dict(zip(own, state.values(), strict=False)))
