"""``unmask detectors``: what can be trained, where it comes from and what it takes."""

from __future__ import annotations

from typing import Annotated, Any

import typer


def register(app: typer.Typer) -> None:
    """Add the verb to ``app``."""
    app.command("detectors")(detectors)


def detectors(
    name: Annotated[str | None, typer.Argument(metavar="NAME", help="Show what is known of this one.")] = None,
) -> None:
    """List the detectors of `unmask train detector=NAME`, or describe one.

    A description has the paper, the number of parameters as published and as built, and where ours departs.

    Example: unmask detectors gend
    """
    from rich.console import Console
    from rich.table import Table

    from unmask.detectors import class_of
    from unmask.tables.errors import UnmaskError
    from unmask.tables.reading import shown
    from unmask.training.options import groups

    options = groups()["detector"]
    if name is None:
        table = Table(box=None, pad_edge=False)
        for heading in ("name", "takes"):
            table.add_column(heading, no_wrap=True)
        table.add_column("paper")
        for option in options:
            config = _config(option)
            table.add_row(option, _taken(config), class_of(config["name"]).paper.title)
        Console(highlight=False).print(table)
        return
    if name not in options:
        raise UnmaskError(f"there is no detector {shown(name)}", next_step=f"give one of {', '.join(options)}")
    config = _config(name)
    found = class_of(config["name"])
    typer.echo(f"{name}: {found.paper.title}.\n{found.paper.url}\n")
    typer.echo(f"Takes: {_taken(config)}.")
    if wanted := [each for each in found.wants if not each.endswith("_known")]:
        typer.echo(f"Its losses use, beside labels: {', '.join(wanted)}.")
    typer.echo(f"Parameters, as published: {found.paper.parameters}. {_counted(config)}")
    typer.echo(f"Departs from the paper: {found.paper.departs}.")


def _config(option: str) -> dict[str, Any]:
    import yaml

    from unmask.training.options import config_dir

    found: dict[str, Any] = yaml.safe_load((config_dir() / "detector" / f"{option}.yaml").read_text(encoding="utf-8"))
    return found


def _taken(config: dict[str, Any]) -> str:
    """What an example is, in words: "16 crops of 224 px"."""
    from unmask.detectors import class_of

    given = config["arguments"]
    words = {
        "images": "a crop of {input_size} px",
        "clips": "{frames} crops of {input_size} px",
        "sound": "{samples:,} samples of sound",
    }
    return ", ".join(words[each].format(**given) for each in class_of(config["name"]).takes)


def _counted(config: dict[str, Any]) -> str:
    """How many parameters a shipped detector has, without room for them."""
    import torch

    from unmask.detectors import build

    if "???" in config["arguments"].values():
        return ""
    with torch.device("meta"):
        built = build(config["name"], **config["arguments"])
    counts = [sum(each.numel() for each in built.parameters() if each.requires_grad or every) for every in (1, 0)]
    trained = "" if counts[0] == counts[1] else f", of which {counts[1]:,} are trained"
    return f"As built: {counts[0]:,}{trained}."
