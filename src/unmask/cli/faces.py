"""``unmask faces``: look at what a face store holds, as pictures and as numbers."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from unmask.faces.coverage import Coverage
    from unmask.faces.stats import FaceStats, Spread

Store = Annotated[Path, typer.Argument(help="The face store, from unmask prepare.", metavar="STORE")]

faces = typer.Typer(
    help="Look at a face store: some files' crops, all files' numbers.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


def register(app: typer.Typer) -> None:
    """Add the verb to ``app``."""
    app.add_typer(faces, name="faces")


@faces.command()
def show(
    store: Store,
    ids: Annotated[list[str], typer.Argument(help="Ids, as in the manifest.", metavar="ID")],
    out: Annotated[Path | None, typer.Option(help="The sheet, .png.  [default: the id, with .png]")] = None,
    track: Annotated[int | None, typer.Option(min=0, help="This track only; 0 is the most prominent face.")] = None,
    landmarks: Annotated[bool, typer.Option("--landmarks", help="Mark eyes, nose and mouth.")] = False,
) -> None:
    """Draw a contact sheet: all crops of some files, in frame order, a block for each file.

    Below each crop are its frame, time and confidence. A file without a crop has a grey tile with the reason. Where
    there are more than 200 crops, each file shows some, evenly chosen.

    Example: unmask faces show faces/ real/clip_1.mp4 fake/clip_1.mp4 --landmarks --out clip_1.png
    """
    from unmask.cli.progress import REASONS
    from unmask.faces.look import choose, draw, file_name, tell_shown
    from unmask.faces.store import FaceStore
    from unmask.tables.errors import UnmaskError
    from unmask.tables.writing import replacing

    if out is not None and out.suffix.lower() != ".png":
        raise UnmaskError("a sheet is a PNG picture", where=out, next_step="give a name that ends in .png")
    opened = FaceStore(store)
    blocks = choose(opened, ids, track=track)
    sheet = draw(opened, blocks, landmarks=landmarks, words=REASONS)
    path = out or Path(file_name([block.id for block in blocks]))
    with replacing(path) as temporary:
        sheet.save(temporary, "PNG")
    typer.echo(f"wrote {path}: {tell_shown(blocks)}")
    for block in blocks:
        if block.reason is not None:
            meaning = f" ({REASONS[block.reason]})" if block.reason in REASONS else ""
            typer.echo(f"  without a crop, {block.id}: {block.reason}{meaning}")


@faces.command()
def stats(
    store: Store,
    manifest: Annotated[
        Path | None, typer.Option(help="Also count the files without a face by label, split and method.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Folder for faces.html and faces.json, or the page's name.")] = None,
) -> None:
    """Tell what a face store holds: files with and without a face, sizes, confidence; with `--out`, also as a page.

    The page shows the crops of the least confidence and of the smallest faces. With the manifest it says whether fewer
    faces were found in fakes than in reals, which would tell the label.

    Example: unmask faces stats faces/ --manifest manifest.parquet --out faces-report/
    """
    from json import dumps

    from unmask.cli.progress import REASONS
    from unmask.faces.stats import measure
    from unmask.faces.store import FaceStore
    from unmask.tables.manifest import read_manifest
    from unmask.tables.writing import write_text

    opened = FaceStore(store)
    found = measure(opened, None if manifest is None else read_manifest(manifest))
    if out is not None:
        from unmask.faces.page import render  # pygal and jinja2 are slow to import

        page = out if out.suffix.lower() == ".html" else out / "faces.html"
        text = render(found, opened, words=REASONS)
        content = {"store": opened.folder.resolve().name, **found.to_dict()}
        write_text(dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n", page.with_name("faces.json"))
        write_text(text, page)
    _print(found)
    if found.coverage is not None:
        _print_coverage(found.coverage)
    if out is not None:
        typer.echo(f"wrote {page.with_name('faces.json')} and {page}")


def _files(count: int) -> str:
    return f"{count:,} file{'' if count == 1 else 's'}"


def _print(found: FaceStats) -> None:
    from rich.table import Table

    from unmask.cli.progress import tables, told_reason

    console = tables()
    having = found.files - found.without
    typer.echo(f"{_files(found.files)}, {having:,} with a crop, {found.without:,} without")
    for reason, count in found.reasons.items():
        typer.echo(f"  without a crop, {told_reason(reason, count)}")
    if found.several:
        per_file = ", ".join(f"{count} in {_files(files)}" for count, files in found.tracks_per_file.items())
        typer.echo(f"tracks: {per_file}; track 0 is the face, the most prominent one of its file")
    table = Table("", title=f"{found.crops:,} crops", title_justify="left")
    for name in ("least", "5 %", "median", "95 %", "most"):
        table.add_column(name, justify="right")
    all_tracks = ", all tracks" if found.several else ""
    table.add_row(f"face in pixels{all_tracks}", *_cells(found.side.all))
    if found.several:
        table.add_row("face in pixels, track 0", *_cells(found.side.first))
    table.add_row(f"confidence{all_tracks}", *_cells(found.confidence.all, 2))
    if found.several:
        table.add_row("confidence, track 0", *_cells(found.confidence.first, 2))
    table.add_row(f"crops a file{all_tracks}", *_cells(found.crops_per_file))
    table.add_row("bytes a crop", *_cells(found.bytes_per_crop))
    console.print(table)
    about = "" if found.enlarged_exact else "about "
    typer.echo(f"enlarged: {about}{found.enlarged:,} crops, of faces below {found.enlarged_below:.0f} pixels")


def _cells(spread: Spread, digits: int = 0) -> list[str]:
    numbers = spread.least, spread.q05, spread.median, spread.q95, spread.most
    return ["–" if number is None else f"{number:,.{digits}f}" for number in numbers]


def _print_coverage(coverage: Coverage) -> None:
    from rich.markup import escape
    from rich.table import Table

    from unmask.cli.progress import tables

    table = Table("", "group", title="files without a face, worst first", title_justify="left")
    for name in ("share", "95 % interval", "of"):
        table.add_column(name, justify="right")
    for column, groups in coverage.groups.items():
        for place, group in enumerate(groups):
            share, interval = ("–", "–") if group.share is None else (f"{100 * group.share:.1f} %", "")
            if group.low is not None and group.high is not None:
                interval = f"{100 * group.low:.1f} to {100 * group.high:.1f} %"
            cells = escape(group.name), share, interval, f"{group.files:,}"
            table.add_row("" if place else column, *cells, end_section=group is groups[-1])
    tables().print(table)
    if coverage.not_prepared:
        typer.echo(f"not in the store: {coverage.not_prepared:,} of the manifest's {_files(coverage.files)}")
    if coverage.unknown:
        typer.echo(f"not in the manifest: {_files(coverage.unknown)} of the store")
    if coverage.warning:
        typer.echo(f"warning: {coverage.warning}")
