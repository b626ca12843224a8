"""The ``unmask`` command: it knows the verbs and turns errors into messages; each verb is a file beside this one."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from unmask import __version__
from unmask.cli import (
    audit,
    calibrate,
    challenge,
    compare,
    datasets,
    demo,
    detectors,
    faces,
    index,
    metrics,
    predict,
    prepare,
    remote,
    score,
    serve,
    train,
)
from unmask.tables.errors import UnmaskError

#: Packages of the extra "host".
_OF_HOST = ("alembic", "cryptography", "fastapi", "huey", "pebble", "psycopg", "redis", "sqlalchemy", "uvicorn")

app = typer.Typer(
    name="unmask",
    help="The open stack for deepfake detection challenges: train detectors, submit predictions, score and rank them.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"unmask {__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Print the version and leave.")
    ] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error. May stand anywhere.")] = False,
) -> None:
    """Options that stand before the verb."""


for verb in (
    demo, datasets, index, audit, prepare, faces, detectors, train, predict, calibrate, score, compare, metrics,
    challenge, serve, remote,
):  # fmt: skip
    verb.register(app)


def main(arguments: list[str] | None = None) -> int:
    """Run the command line and give its exit code.

    0: done. 1: done, and something was found (``audit``), or unmask itself failed. 2: the user can mend it; one message
    says what, where and the next step. Tracebacks are shown with ``--debug`` only.
    """
    # OpenMP threads spin while they wait: where other work needs the cores, two took ten times as long as one.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    arguments = sys.argv[1:] if arguments is None else arguments
    debug = "--debug" in arguments
    try:
        app(args=[argument for argument in arguments if argument != "--debug"])
    except SystemExit as leaving:
        return leaving.code if isinstance(leaving.code, int) else int(leaving.code is not None)
    except Exception as error:
        if debug:
            raise
        code, told = _explain(error)
        typer.echo(f"error: {told}", err=True)
        return code
    return 0


def _explain(error: Exception) -> tuple[int, str]:
    """The exit code and the message for an error."""
    if isinstance(error, UnmaskError):
        return 2, str(error)
    if isinstance(error, ModuleNotFoundError) and (error.name or "unmask").partition(".")[0] != "unmask":
        if str(error.name).partition(".")[0] in _OF_HOST:
            return 2, f"{error}\n  next:  this command needs the server's packages: pip install -e '.[host]'"
        return 2, f"{error}\n  next:  this command needs the heavy packages: pip install -e '.[train]'"
    if isinstance(error, OSError):
        where = f"\n  where: {error.filename}" if error.filename else ""
        remedy = "check that the path exists, may be written to, and that the disk has room"
        return 2, f"{error.strerror or error}{where}\n  next:  {remedy}"
    remedy = "run the command again with --debug and report what it prints"
    return 1, f"unmask itself failed ({type(error).__name__}: {error})\n  next:  {remedy}"
