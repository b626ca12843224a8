"""``unmask serve`` and ``unmask worker``: host a challenge."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Folder = Annotated[Path, typer.Argument(help="The challenge's folder, or its challenge.yaml.", metavar="DIR")]
Database = Annotated[
    str | None,
    typer.Option(help="sqlite:///FILE or postgresql://...  [default: $UNMASK_DATABASE, or SQLite in DIR/host]"),
]
Queue = Annotated[
    str | None, typer.Option(help="sqlite:///FILE or redis://...  [default: $UNMASK_QUEUE, or a file in DIR/host]")
]


def register(app: typer.Typer) -> None:
    """Add the verbs to ``app``."""
    app.command()(serve)
    app.command()(worker)


def serve(
    folder: Folder,
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
) -> None:
    """Host a challenge: its board, submissions, scoring, pages and API.

    Everything lies in DIR/host unless a database and a queue are given. The first start prints the organizer's token.

    Example: unmask serve faces-2025/

    Example: unmask serve example/ --demo
    """
    from unmask.host.place import open_host, set_up
    from unmask.host.serving import Serving
    from unmask.host.serving import serve as run

    member = None
    if demo:
        from unmask.host.demo import make_demo

        made = make_demo(folder, database=database, queue=queue)
        host, member = made.host, made.member
        token: str | None = made.organizer
    else:
        host = open_host(folder, database=database, queue=queue)
        token = set_up(host, rescore=rescore)
    at = f"http://{address}:{port}"
    typer.echo(f"{host.challenge.definition.name}: {at}")
    if token is not None:
        typer.echo(f"organizer's token, shown this once: {token}")
        typer.echo(
            f"a team: curl -X POST {at}/api/teams -H 'Authorization: Bearer {token}' "
            """-H 'Content-Type: application/json' -d '{"name": "Team", "member": "Name"}'"""
        )
    if member is not None:
        typer.echo(f"a team's token: {member}")
    run(host, Serving(address, port, web, workers, https))


def worker(folder: Folder, database: Database = None, queue: Queue = None) -> None:
    """Score submissions of a challenge that is served elsewhere, with the same database and queue.

    It needs the challenge's folder, answer key and DIR/host/files included.

    Example: unmask worker faces-2025/ --database postgresql://... --queue redis://...
    """
    from unmask.host.place import open_host
    from unmask.host.worker import Worker

    Worker(open_host(folder, database=database, queue=queue)).run()
