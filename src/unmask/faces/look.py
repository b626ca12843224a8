"""A contact sheet: the crops of some files side by side, so that a person sees what a detector will see."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
from PIL import Image, ImageDraw, ImageFont

from unmask.faces.store import FaceStore
from unmask.media.frame import evenly_spaced
from unmask.tables.errors import MediaError, StoreError
from unmask.tables.reading import shown

#: Most crops on a sheet: more are too many to look at, and too many pixels for some viewers.
MOST_CROPS = 200
#: Most ids on a sheet; each has a block of its own, whether or not it has a crop.
MOST_IDS = 100

#: Pixels: the side of a tile, what lies between two, the sheet's rim, a line of text.
_TILE, _GAP, _RIM, _LINE = 144, 12, 20, 18
#: Tiles side by side: at most, and at least as many as give a heading room.
_COLUMNS, _FEWEST_COLUMNS = 8, 4
_PAPER, _INK, _SOFT, _BLANK = "#f6f5f1", "#1c1d22", "#62646e", "#c9c8c2"
#: Frames of the tiles, by track; the seventh track has the first one's colour again, but its own heading.
_TRACKS = ("#3d3bd1", "#d55e00", "#009e73", "#cc79a7", "#a87800", "#2b8cbe")
#: Ids that are compared letter by letter with an unknown one, and unknown ones for which that is done.
_COMPARED, _ADVISED = 300, 20


@dataclass(frozen=True)
class Strip:
    """One track of one file.

    Attributes:
        track: its number; 0 is "the" face of the file.
        total: crops that it has.
        crops: those on the sheet, in frame order: ``row`` (of the store), ``frame``, ``time_s``, ``confidence``.
    """

    track: int
    total: int
    crops: pl.DataFrame


@dataclass(frozen=True)
class Block:
    """One file on the sheet.

    Attributes:
        id: of the file.
        strips: its tracks, track 0 first.
        reason: why it has none; None where it has one.
    """

    id: str
    strips: tuple[Strip, ...]
    reason: str | None

    @property
    def total(self) -> int:
        """Crops that the file has."""
        return sum(strip.total for strip in self.strips)

    @property
    def shown(self) -> int:
        """Crops of it on the sheet."""
        return sum(strip.crops.height for strip in self.strips)


def choose(store: FaceStore, ids: Sequence[str], *, track: int | None = None, most: int = MOST_CROPS) -> list[Block]:
    """Which crops are on a sheet of these ids.

    Where they have more than ``most``, each id gets the same number of places, or as many as it has crops, and fills
    them with crops evenly spaced over its tracks.

    Args:
        store: whose crops.
        ids: in the order of the sheet; one that is named twice is there once.
        track: this track only; all by default.
        most: crops on the sheet.

    Raises:
        StoreError: there are too many ids, or the store does not hold some of them; all of those are named.
    """
    ids = list(dict.fromkeys(ids))
    if len(ids) > MOST_IDS:
        raise StoreError(
            f"{len(ids):,} ids are too many for one sheet",
            where=store.folder,
            next_step=f"give at most {MOST_IDS} at a time",
        )
    rows = _rows(store, ids)
    known = set(rows["id"])
    _refuse_unknown(store, [name for name in ids if name not in known])
    crops = rows.filter("crop").sort("track", "frame", "row", nulls_last=True)
    if track is not None:
        crops = crops.filter(pl.col("track") == track)
    held = [crops.filter(pl.col("id") == name) for name in ids]
    places = _dealt([part.height for part in held], most)
    return [
        Block(name, _strips(part, count), None if part.height else _reason(rows, name, track))
        for name, part, count in zip(ids, held, places, strict=True)
    ]


def _rows(store: FaceStore, ids: Sequence[str]) -> pl.DataFrame:
    """The rows of these ids: the pictures stay on the disk, and of other ids' rows nothing is kept."""
    table = store.table
    wanted = pc.is_in(table["id"], pa.array(ids, pa.string()))
    light = table.select(["id", "frame", "track", "time_s", "confidence", "reason"])
    light = light.append_column("crop", pc.is_valid(table["image"]))
    found = pl.DataFrame(pl.from_arrow(light.filter(wanted)))
    return found.with_columns(row=pl.Series(np.flatnonzero(wanted.to_numpy()), dtype=pl.Int64))


def _strips(crops: pl.DataFrame, count: int) -> tuple[Strip, ...]:
    chosen = crops[evenly_spaced(crops.height, count)]
    return tuple(
        Strip(number, crops["track"].eq_missing(number).sum(), part.select("row", "frame", "time_s", "confidence"))
        for (number,), part in chosen.group_by("track", maintain_order=True)
    )


def _reason(rows: pl.DataFrame, name: str, track: int | None) -> str:
    mine = rows.filter(pl.col("id") == name)
    if mine["crop"].any():
        return f"no crop of track {track}"
    return next(iter(mine["reason"].drop_nulls()), "no reason is stated")


def _dealt(counts: Sequence[int], most: int) -> list[int]:
    """How many places each gets: the same number, but no more than it needs."""
    places, left = [0] * len(counts), most
    for done, number in enumerate(sorted(range(len(counts)), key=lambda number: counts[number])):
        places[number] = min(counts[number], left // (len(counts) - done))
        left -= places[number]
    return places


def _refuse_unknown(store: FaceStore, unknown: Sequence[str]) -> None:
    if not unknown:
        return
    ids = pc.unique(store.table["id"])
    lowered = pc.utf8_lower(ids)
    told = []
    for number, name in enumerate(unknown):
        near = _near(name, ids, lowered) if number < _ADVISED else []
        told.append(f"  {shown(name)}" + (f" (did you mean {' or '.join(map(shown, near))}?)" if near else ""))
    what = "this id" if len(unknown) == 1 else f"these {len(unknown):,} ids"
    example = next((name for name in ids.slice(0, 1).to_pylist()), None)
    remedy = "an id is written as in the manifest" + (f", such as {shown(example)}" if example else "")
    raise StoreError("\n".join([f"the face store does not hold {what}:", *told]), where=store.folder, next_step=remedy)


def _near(name: str, ids: pa.Array, lowered: pa.Array) -> list[str]:
    """Up to three ids that look like ``name``, the likest first; letters' case counts for nothing.

    A store may hold a million ids and difflib is slow: it sees those alone that share most runs of three letters.
    """
    wanted = name.lower()
    holding = pc.indices_nonzero(pc.match_substring(lowered, wanted)).to_pylist()[:3]
    shared = np.zeros(len(ids), dtype=np.int32)
    for run in {wanted[start : start + 3] for start in range(max(len(wanted) - 2, 1))}:
        shared += pc.match_substring(lowered, run).to_numpy(zero_copy_only=False)
    places = np.argsort(-shared, kind="stable")[:_COMPARED]
    likely = {lowered[int(place)].as_py(): int(place) for place in places[shared[places] > 0]}
    close = [likely[text] for text in get_close_matches(wanted, likely, n=3)]
    return [ids[place].as_py() for place in dict.fromkeys([*close, *holding])][:3]


def file_name(ids: Sequence[str]) -> str:
    """The name of a sheet of these ids: letters, digits, ``_``, ``.`` and ``-`` of the first one, not hidden, not long.

    ``.png`` is always added, so that the sheet of ``a/cat.png`` in that file's folder does not take its place.
    """
    name = re.sub(r"[^\w.-]+", "_", ids[0]).lstrip(".-")
    # File systems count bytes, of which a letter may have four.
    name = name.encode()[:120].decode(errors="ignore") or "faces"
    return name + (f"_and_{len(ids) - 1}_more" if len(ids) > 1 else "") + ".png"


def draw(
    store: FaceStore, blocks: Sequence[Block], *, landmarks: bool = False, words: Mapping[str, str] | None = None
) -> Image.Image:
    """The contact sheet as an RGB picture.

    Args:
        store: whose crops.
        blocks: as ``choose`` gives them.
        landmarks: mark the five points of each face.
        words: reason to what it means.
    """
    widest = max((strip.crops.height for block in blocks for strip in block.strips), default=1)
    columns = min(max(widest, _FEWEST_COLUMNS), _COLUMNS)
    size = 2 * _RIM - _GAP + columns * (_TILE + _GAP), 2 * _RIM + 2 * _LINE + sum(_height(b, columns) for b in blocks)
    sheet = Image.new("RGB", size, _PAPER)
    _write(sheet, (_RIM, _RIM), f"{store.folder.resolve().name}: {tell_shown(blocks)}", size=13, colour=_SOFT)
    top = _RIM + 2 * _LINE
    for block in blocks:
        _write(sheet, (_RIM, top), block.id, size=16)
        below = top + _LINE + 6
        for strip in block.strips:
            _draw_strip(sheet, store, strip, below, columns, landmarks)
            below += _strip_height(strip, columns)
        if block.reason is not None:
            meaning = (words or {}).get(block.reason)
            _blank(sheet, _RIM, below, f"{block.reason}: {meaning}" if meaning else block.reason)
        top += _height(block, columns)
    return sheet


def tell_shown(blocks: Sequence[Block]) -> str:
    """What a sheet shows, and of how much: "1 file, 16 crops", "100 files, 200 of 1,600 crops, evenly chosen"."""
    total, drawn = sum(block.total for block in blocks), sum(block.shown for block in blocks)
    files = f"{len(blocks):,} file{'' if len(blocks) == 1 else 's'}"
    if drawn < total:
        return f"{files}, {drawn:,} of {total:,} crops, evenly chosen"
    return f"{files}, {total:,} crop{'' if total == 1 else 's'}"


def shrink(image: np.ndarray, side: int) -> Image.Image:
    """A (S, S, 3) uint8 RGB crop as a picture of ``side`` pixels."""
    return Image.fromarray(image).resize((side, side), Image.Resampling.LANCZOS)


def _strip_height(strip: Strip, columns: int) -> int:
    lines = -(-strip.crops.height // columns)
    return _LINE + 4 + lines * (_TILE + 2 * _LINE + _GAP)


def _height(block: Block, columns: int) -> int:
    inside = sum(_strip_height(strip, columns) for strip in block.strips) or _TILE + _GAP
    return _LINE + 6 + inside + _GAP


def _draw_strip(sheet: Image.Image, store: FaceStore, strip: Strip, top: int, columns: int, landmarks: bool) -> None:
    colour = _TRACKS[(strip.track or 0) % len(_TRACKS)]
    count = f"{strip.total:,} crop{'' if strip.total == 1 else 's'}"
    part = count if strip.crops.height == strip.total else f"{strip.crops.height:,} of {count}"
    name = "track 0, the face" if strip.track == 0 else f"track {strip.track}"
    _write(sheet, (_RIM, top), f"{name}: {part}", size=13, colour=colour)
    for place, crop in enumerate(strip.crops.iter_rows(named=True)):
        left = _RIM + place % columns * (_TILE + _GAP)
        above = top + _LINE + 4 + place // columns * (_TILE + 2 * _LINE + _GAP)
        _draw_crop(sheet, store, crop["row"], left, above, landmarks)
        ImageDraw.Draw(sheet).rectangle((left - 3, above - 3, left + _TILE + 2, above + _TILE + 2), None, colour, 3)
        time = "no time" if crop["time_s"] is None else f"{crop['time_s']:.2f} s"
        sure = "none" if crop["confidence"] is None else f"{crop['confidence']:.2f}"
        _write(sheet, (left, above + _TILE + 5), f"frame {crop['frame']}, {time}", size=12)
        _write(sheet, (left, above + _TILE + 5 + _LINE - 3), f"confidence {sure}", size=12, colour=_SOFT)


def _draw_crop(sheet: Image.Image, store: FaceStore, row: int, left: int, top: int, landmarks: bool) -> None:
    try:
        crop = store.image(row)
    except MediaError:  # it is shown as what it is, and hides no other
        _blank(sheet, left, top, "the crop is damaged")
        return
    sheet.paste(shrink(crop, _TILE), (left, top))
    if landmarks:
        for x, y in (store.landmarks(row) + 0.5) * _TILE / crop.shape[0]:
            if 0 <= x < _TILE and 0 <= y < _TILE:
                dot = left + x - 3, top + y - 3, left + x + 3, top + y + 3
                ImageDraw.Draw(sheet).ellipse(dot, fill="#00e5ff", outline="black")


def _blank(sheet: Image.Image, left: int, top: int, text: str) -> None:
    ImageDraw.Draw(sheet).rectangle((left, top, left + _TILE - 1, top + _TILE - 1), fill=_BLANK)
    for number, line in enumerate(textwrap.wrap(_drawable(text), 18)[:7]):
        _write(sheet, (left + 10, top + 10 + number * _LINE), line, size=13)


def _write(sheet: Image.Image, place: tuple[int, int], text: str, *, size: int, colour: str = _INK) -> None:
    """One line of text, cut in its middle where it would leave the sheet."""
    font = _font(size)
    text = _drawable(text)
    room = sheet.width - place[0] - _RIM
    cut, kept = text, min(len(text), 300)  # no line has room for more
    while font.getlength(cut) > room:
        cut = f"{text[: kept // 2]}...{text[len(text) - kept + kept // 2 :]}"
        kept -= 1
    ImageDraw.Draw(sheet).text(place, cut, fill=colour, font=font)


def _drawable(text: str) -> str:
    """Pillow's own font, the only one that is everywhere, has the letters of ASCII alone: others are escaped."""
    return text if text.isascii() and text.isprintable() else text.encode("unicode_escape").decode("ascii")


@cache
def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)
