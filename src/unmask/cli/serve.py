"""``unmask serve`` and ``unmask worker``: host a challenge."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

_FOLDER_HELP = "The challenge's folder, or its challenge.yaml."
Database = Annotated[
    str | None,
    typer.Option(help="sqlite:///FILE or postgresql://...  [default: $UNMASK_DATABASE, or SQLite in DIR/host]"),
]
Queue = Annotated[
    str | None, typer.Option(help="sqlite:///FILE or redis://...  [default: $UNMASK_QUEUE, or a file in DIR/host]")
]

#: Where the example challenge is made where nothing else is said.
_DEMO = "unmask-demo"


def register(app: typer.Typer) -> None:
    """Add the verbs to ``app``."""
    app.command()(serve)
    app.command()(worker)


def serve(
    folder: Annotated[
        Path | None,
        typer.Argument(help=f"{_FOLDER_HELP}  [with --demo by default: {_DEMO}]", metavar="DIR", show_default=False),
    ] = None,
    address: Annotated[str, typer.Option("--host", help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port to listen on.")] = 8000,
    web: Annotated[int, typer.Option(min=1, help="Processes that answer requests.")] = 1,
    workers: Annotated[int, typer.Option(min=0, help="Processes that score; 0 if they run elsewhere.")] = 1,
    database: Database = None,
    queue: Queue = None,
    https: Annotated[bool, typer.Option("--https", help="People come by HTTPS, through a proxy in front.")] = False,
    demo: Annotated[
        bool, typer.Option("--demo", help="Make DIR first: an example challenge with teams and submissions.")
    ] = False,
    rescore: Annotated[
        str | None, typer.Option(help="Score everything again, for this reason: the key or the metric has changed.")
    ] = None,
    new_token: Annotated[
        bool, typer.Option("--new-token", help="Print another organizer's token: the first one is lost.")
    ] = False,
) -> None:
    """Host a challenge: its board, submissions, scoring, pages and API.

    Everything lies in DIR/host unless a database and a queue are given. The first start prints the organizer's token.

    Example: unmask serve faces-2025/

    Example: unmask serve --demo
    """
    from unmask.challenge.definition import DEFINITION
    from unmask.challenge.review import find_unready
    from unmask.host import serving
    from unmask.host.demo import make_demo
    from unmask.host.place import open_host, set_up
    from unmask.tables.errors import UnmaskError

    _refuse_empty(database, queue)
    if folder is None and not demo:
        raise UnmaskError("no challenge is given", next_step="give its folder, unmask serve DIR, or --demo")
    how = serving.Serving(address, port, web, workers, https)
    serving.require_free(how)
    serving.require_usable(database, queue)
    member = None
    if demo and (folder is not None or not (Path(_DEMO) / DEFINITION).exists()):
        made = make_demo(folder or _DEMO, database=database, queue=queue)
        host, member = made.host, made.member
        token: str | None = made.organizer
    else:
        host = open_host(folder or _DEMO, database=database, queue=queue)
        token = set_up(host, rescore=rescore)
    if new_token and token is None:
        token = serving.new_token(host)
    for warning in find_unready(host.challenge):
        typer.echo(f"warning: {warning}", err=True)
    typer.echo(f"{host.challenge.definition.name}: {how.url}")
    if token is None:
        typer.echo("the organizer's token was shown at the first start; if it is lost: --new-token")
    else:
        typer.echo(f"organizer's token, shown this once: {token}")
        typer.echo(f"sign in with it at {how.url}/sign-in, and make teams at {how.url}/desk, or from a terminal:")
        typer.echo(
            f"""TOKEN=...; curl -X POST {how.url}/api/teams -H "Authorization: Bearer $TOKEN" """
            """-H 'Content-Type: application/json' -d '{"name": "Team", "member": "Name"}'"""
        )
    if member is not None:
        typer.echo(f"a team's token: {member}")
    serving.serve(host, how)


def worker(
    folder: Annotated[Path, typer.Argument(help=_FOLDER_HELP, metavar="DIR")],
    database: Database = None,
    queue: Queue = None,
) -> None:
    """Score submissions of a challenge that is served elsewhere, with the same database and queue.

    It needs the challenge's folder, answer key and DIR/host/files included, and that `unmask serve` has run once.

    Example: unmask worker faces-2025/ --database postgresql://... --queue redis://...
    """
    from unmask.host.place import open_host
    from unmask.host.worker import Worker

    _refuse_empty(database, queue)
    host = open_host(folder, database=database, queue=queue)
    host.database.require_tables()
    Worker(host).run()


def _refuse_empty(database: str | None, queue: str | None) -> None:
    """An empty value is most often a variable that was not set."""
    from unmask.tables.errors import UnmaskError

    for option, value in (("--database", database), ("--queue", queue)):
        if value is not None and not value.strip():
            raise UnmaskError(f"{option} is empty", next_step="give an address, or leave the option out")
