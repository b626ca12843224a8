"""``unmask submit`` and ``unmask board``: take part in a challenge that is served elsewhere."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    import httpx

#: Seconds between two looks whether a submission is scored.
_LOOK = 1.0
_WHOLE, _NUMBER = (int, type(None)), (int, float, type(None))
#: What is read of the server's answers, and of which kind it is.
_SUBMISSION = {"id": int, "state": str, "rows": int, "public_score": _NUMBER, "shown_of": _WHOLE}
_QUOTA = {"today": int, "resets": str}
_CHALLENGE = {"name": str, "metrics": list, "digits": int}
_METRIC = {"title": str, "direction": str}
_BOARD = {"entries": list, "waiting": int}
_ROW = {
    "team": str, "entries": int, "held_back": bool, **dict.fromkeys(("rank", "tier", "rank_low", "rank_high"), _WHOLE),
    **dict.fromkeys(("score", "low", "high"), _NUMBER),
}  # fmt: skip


def register(app: typer.Typer) -> None:
    """Add the verbs to ``app``."""
    app.command()(submit)
    app.command()(board)


def submit(
    file: Annotated[Path, typer.Argument(help="id,score for every id: .csv, .csv.gz or .parquet.")],
    server: Annotated[str, typer.Option(help="The challenge's address.", envvar="UNMASK_SERVER")],
    token: Annotated[str, typer.Option(help="The team's token.", envvar="UNMASK_TOKEN")],
    track: Annotated[str, typer.Option(help="One of the challenge's tracks, if it has any.")] = "",
    wait: Annotated[bool, typer.Option("--wait/--no-wait", help="Wait until it is scored.")] = True,
) -> None:
    """Send a file to a challenge, and tell its score.

    Exit code 0: accepted (and scored). 2: refused, with all faults; a refused file costs no submission.

    Example: UNMASK_TOKEN=um_... unmask submit predictions.csv --server https://challenge.example
    """
    from unmask.tables.errors import UnmaskError

    if not file.is_file():
        raise UnmaskError("there is no such file", where=file, next_step="give a .csv, .csv.gz or .parquet file")
    with _client(server, token) as client:
        with _opened(file) as data:
            # A name that is not UTF-8 could not be sent as it is.
            name = os.fsencode(file.name).decode("utf-8", "replace")
            sent = _submission(client, "POST", "", files={"file": (name, data)}, form={"track": track})
        typer.echo(f"submission {sent['id']}: accepted, {sent['rows']:,} rows")
        if wait:
            sent = _scored(client, sent)
            typer.echo(_outcome(sent, client))
        left = _fields(client, _fields(client, _told(client, "GET", "/api/me"), {"quota": dict})["quota"], _QUOTA)
        typer.echo(f"left today: {left['today']}; a new day begins at {_plain(left['resets'])}")
    if sent["state"] == "failed":
        raise typer.Exit(2)


def board(
    server: Annotated[str, typer.Argument(help="The challenge's address.", metavar="URL", envvar="UNMASK_SERVER")],
    part: Annotated[str, typer.Option(help="public, or, after the close, private.")] = "public",
    track: Annotated[str, typer.Option(help="One of the challenge's tracks, if it has any.")] = "",
    token: Annotated[str | None, typer.Option(help="A token, if one is needed.", envvar="UNMASK_TOKEN")] = None,
) -> None:
    """Print the board of a challenge.

    Example: unmask board https://challenge.example
    """
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from unmask.tables.errors import UnmaskError

    if part not in ("public", "private"):
        raise UnmaskError(f"there is no part {part!r}", next_step="give public or private")
    with _client(server, token) as client:
        said = _fields(client, _told(client, "GET", "/api/challenge"), _CHALLENGE)
        metric = _fields(client, (said["metrics"] or [None])[0], _METRIC)
        found = _fields(client, _told(client, "GET", "/api/board", query={"part": part, "track": track}), _BOARD)
        rows = [_withheld(_fields(client, row, _ROW)) for row in found["entries"]]
    title = _plain(f"{said['name']}, {part} part. {metric['title']}: {metric['direction']} is better")
    if rows:
        table = Table(title=Text(title))
        for name in ("rank", "team", "score", "95 % interval", "rank range", "tier", "entries"):
            table.add_column(name, justify="left" if name == "team" else "right", overflow="fold")
        for row in rows:
            table.add_row(*map(Text, _cells(row, said["digits"])))
        Console(highlight=False).print(table)
    else:
        typer.echo(f"{title}\nno team has a scored submission yet")
    if any(row["held_back"] for row in rows):
        typer.echo("no score: nothing that the team has sent is better than chance")
    if found["waiting"]:
        waits = "submission waits" if found["waiting"] == 1 else "submissions wait"
        typer.echo(f"{found['waiting']:,} {waits} to be scored")


def _withheld(row: dict[str, Any]) -> dict[str, Any]:
    """The row, without the numbers of a team whose score is not shown: they are those of saying nothing."""
    return row | (dict.fromkeys(("score", "low", "high", "rank_low", "rank_high")) if row["held_back"] else {})


def _cells(row: dict[str, Any], digits: int) -> list[str]:
    def told(value: float | None) -> str:
        return "–" if value is None else f"{value:.{digits}f}"

    interval = "–" if row["low"] is None else f"{told(row['low'])} to {told(row['high'])}"
    ranks = "–" if row["rank_low"] is None else f"{row['rank_low']} to {row['rank_high']}"
    rank, tier = ("–" if row[name] is None else str(row[name]) for name in ("rank", "tier"))
    return [rank, _plain(row["team"]), told(row["score"]), interval, ranks, tier, str(row["entries"])]


@contextmanager
def _opened(file: Path) -> Iterator[IO[bytes]]:
    """The file, with a progress bar where somebody looks at a terminal."""
    from rich.progress import Progress

    with (
        Progress(transient=True, disable=not os.isatty(1)) as progress,
        progress.open(file, "rb", description="sending") as data,
    ):
        yield data


def _client(server: str, token: str | None) -> httpx.Client:
    import httpx

    from unmask import __version__
    from unmask.tables.errors import UnmaskError

    if token is not None and not re.fullmatch(r"[\x21-\x7e]*", token):
        raise UnmaskError("the token has signs that no token has", next_step="copy it again, from um_ to its end")
    headers = {"User-Agent": f"unmask/{__version__}"} | ({"Authorization": f"Bearer {token}"} if token else {})
    address = server if "://" in server else f"https://{server}"
    try:
        client = httpx.Client(
            base_url=address, headers=headers, timeout=httpx.Timeout(30, read=300), follow_redirects=False
        )
    except httpx.InvalidURL as error:
        raise UnmaskError(f"{server} is no address: {error}", next_step=_WRITE) from error
    if client.base_url.scheme not in ("http", "https") or not client.base_url.host:
        raise UnmaskError(f"{server!r} is no address of a challenge", next_step=_WRITE)
    return client


_WRITE = "write it as the organizer gave it, such as https://challenge.example or http://127.0.0.1:8000"


def _told(
    client: httpx.Client,
    method: str,
    path: str,
    *,
    query: dict[str, str] | None = None,
    form: dict[str, str] | None = None,
    files: Any = None,
) -> Any:
    """What the server answers.

    Raises:
        UnmaskError: it cannot be reached, is no such server, or refuses.
    """
    import httpx

    from unmask.tables.errors import UnmaskError

    try:
        answer = client.request(method, path, params=query, data=form, files=files)
    except httpx.HTTPError as error:
        plain = client.base_url.scheme == "https" and "SSL" in str(error)
        remedy = f"write http:// if it has no HTTPS: http://{client.base_url.netloc.decode()}" if plain else None
        raise UnmaskError(
            f"{client.base_url} cannot be reached: {error}", next_step=remedy or "check the address, or try again later"
        ) from error
    try:
        told = answer.json()
    except ValueError as error:
        raise _strange(client, answer.status_code) from error
    if answer.is_success:
        return told
    refusal = told.get("error") if isinstance(told, dict) else None
    if not isinstance(refusal, dict) or not isinstance(refusal.get("what"), str):
        raise _strange(client, answer.status_code)
    problems = "".join(f"\n  {_plain(str(problem))}" for problem in refusal.get("problems") or [])
    raise UnmaskError(
        f"{_plain(refusal['what'])}{problems}", next_step=_plain(str(refusal.get("next_step") or "ask the organizer"))
    )


def _strange(client: httpx.Client, status: int) -> Exception:
    from unmask.tables.errors import UnmaskError

    what = f"{client.base_url} answers {status}, and not as a challenge does"
    return UnmaskError(what, next_step="check the address")


def _fields(client: httpx.Client, told: Any, kinds: dict[str, Any]) -> dict[str, Any]:
    """What the server told, if it has these fields of these kinds.

    Raises:
        UnmaskError: it has not.
    """
    if not isinstance(told, dict) or not all(
        name in told and isinstance(told[name], kind) for name, kind in kinds.items()
    ):
        raise _strange(client, 200)
    return told


def _plain(text: str) -> str:
    """A text of the server's, with every sign escaped that would do something to a terminal."""
    from unmask.scoring.comparison.names import printable

    return printable(text.encode("utf-8", "replace").decode("utf-8"))


def _submission(client: httpx.Client, method: str, which: str, **sent: Any) -> dict[str, Any]:
    return _fields(client, _told(client, method, f"/api/submissions{which}", **sent), _SUBMISSION)


def _scored(client: httpx.Client, sent: dict[str, Any]) -> dict[str, Any]:
    """The submission when it is scored, or as it stands where the organizer has paused scoring."""
    while sent["state"] in ("queued", "running") and not sent.get("paused", False):
        time.sleep(_LOOK)
        sent = _submission(client, "GET", f"/{sent['id']}")
    return sent


def _outcome(sent: dict[str, Any], client: httpx.Client) -> str:
    if sent["state"] == "failed":
        return f"it failed: {_plain(str(sent.get('error')))}"
    if sent["state"] != "scored":
        address = str(client.base_url).rstrip("/")
        return f"scoring is paused by the organizer; the score will stand at {address}/submissions"
    if sent["public_score"] is None:
        return "scored: not better than saying nothing by more than chance, so its score is not shown"
    if sent["shown_of"] != sent["id"]:
        stays = f"the score shown stays at {sent['public_score']}"
        return f"scored: not better than submission {sent['shown_of']} by more than chance; {stays}"
    return f"public score: {sent['public_score']}"
