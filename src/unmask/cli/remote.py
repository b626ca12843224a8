"""``unmask submit`` and ``unmask board``: take part in a challenge that is served elsewhere."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    import httpx

#: Seconds between two looks whether a submission is scored.
_LOOK = 1.0


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
    from rich.progress import Progress

    with _client(server, token) as client:
        with (
            Progress(transient=True) as progress,
            progress.open(file, "rb", description=f"sending {file.name}") as data,
        ):
            sent = _told(client, "POST", "/api/submissions", files={"file": (file.name, data)}, form={"track": track})
        typer.echo(f"submission {sent['id']}: accepted, {sent['rows']:,} rows")
        if wait:
            sent = _scored(client, sent)
            typer.echo(_outcome(sent))
        left = _told(client, "GET", "/api/me")["quota"]
        typer.echo(f"left today: {left['today']}; a new day begins at {left['resets']}")
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

    with _client(server, token) as client:
        said = _told(client, "GET", "/api/challenge")
        found = _told(client, "GET", "/api/board", query={"part": part, "track": track})
    metric = said["metrics"][0]
    table = Table(title=Text(f"{said['name']}, {part} part. {metric['title']}: {metric['direction']} is better"))
    for name in ("rank", "team", "score", "95 % interval", "rank range", "tier", "entries"):
        table.add_column(name, justify="left" if name == "team" else "right", overflow="fold")
    for row in found["entries"]:
        table.add_row(*map(Text, _cells(row, said["digits"])))
    Console(highlight=False).print(table)
    if found["waiting"]:
        typer.echo(f"{found['waiting']:,} submissions wait to be scored")


def _cells(row: dict[str, Any], digits: int) -> list[str]:
    def told(value: float | None) -> str:
        return "–" if value is None else f"{value:.{digits}f}"

    interval = "–" if row["low"] is None else f"{told(row['low'])} to {told(row['high'])}"
    ranks = "–" if row["rank_low"] is None else f"{row['rank_low']} to {row['rank_high']}"
    rank, tier = ("–" if row[name] is None else str(row[name]) for name in ("rank", "tier"))
    return [rank, row["team"], told(row["score"]), interval, ranks, tier, str(row["entries"])]


def _client(server: str, token: str | None) -> httpx.Client:
    import httpx

    from unmask import __version__

    headers = {"User-Agent": f"unmask/{__version__}"} | ({"Authorization": f"Bearer {token}"} if token else {})
    address = server if "://" in server else f"https://{server}"
    return httpx.Client(base_url=address, headers=headers, timeout=httpx.Timeout(30, read=300), follow_redirects=False)


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
        raise UnmaskError(
            f"{client.base_url} cannot be reached: {error}", next_step="check the address, or try again later"
        ) from error
    try:
        told = answer.json()
    except ValueError as error:
        what = f"{client.base_url} answers {answer.status_code}, and not as a challenge does"
        raise UnmaskError(what, next_step="check the address") from error
    if answer.is_success:
        return told
    refusal = told.get("error", {}) if isinstance(told, dict) else {}
    problems = "".join(f"\n  {problem}" for problem in refusal.get("problems", []))
    raise UnmaskError(f"{refusal.get('what', answer.status_code)}{problems}", next_step=refusal.get("next_step"))


def _scored(client: httpx.Client, sent: dict[str, Any]) -> dict[str, Any]:
    while sent["state"] in ("queued", "running"):
        time.sleep(_LOOK)
        sent = _told(client, "GET", f"/api/submissions/{sent['id']}")
    return sent


def _outcome(sent: dict[str, Any]) -> str:
    if sent["state"] == "failed":
        return f"it failed: {sent['error']}"
    if sent["public_score"] is None:
        return "scored: not better than saying nothing by more than chance, so its score is not shown"
    if sent["shown_of"] != sent["id"]:
        stays = f"the score shown stays at {sent['public_score']}"
        return f"scored: not better than submission {sent['shown_of']} by more than chance; {stays}"
    return f"public score: {sent['public_score']}"
