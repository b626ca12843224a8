"""The organizer's export: what the desk shows, as CSV and JSON in one ZIP. No cell is a formula."""

from __future__ import annotations

import json
import re

from fastapi import APIRouter
from sqlalchemy import select
from starlette.responses import Response

from unmask.challenge.exporting.answers import harmless, to_csv
from unmask.challenge.exporting.archive import to_zip
from unmask.host.boards import PRIVATE, PUBLIC, Board
from unmask.host.records import Event, Scoring, Submission
from unmask.host.web.api import snapshots
from unmask.host.web.pages.visitor import AtDesk
from unmask.host.web.state import StateOf

router = APIRouter(prefix="/desk")
_SUBMISSIONS = (
    "submission", "team_id", "team", "member", "track", "file_name", "rows", "bytes", "sha256", "received", "state",
    "error", "final_pick",
)  # fmt: skip
_SCORINGS = ("scoring", "made", "reason", "version", "answers_sha256")
_AUDIT = ("line", "at", "actor", "action", "subject", "detail", "sha256")


@router.get("/export.zip")
def export(state: StateOf, account: AtDesk) -> Response:
    """Both boards of every track as they stand, and all submissions, scorings, snapshots and lines of the audit log."""
    definition = state.host.challenge.definition
    files: dict[str, str | bytes] = {}
    with state.host.database.reading() as session:
        for number, track in enumerate(definition.tracks or ("",), start=1):
            for part in (PUBLIC, PRIVATE):
                end = f"-{number}-{re.sub('[^A-Za-z0-9]+', '-', track)}" if track else ""
                board = state.board(session, part, track, None, account)
                files[f"board-{part}{end}.csv"] = _board(board, [metric.name for metric in definition.metrics])
        files["submissions.csv"] = to_csv(
            _SUBMISSIONS,
            (
                (
                    each.id, each.team_id, harmless(each.team.name), harmless(each.member), harmless(each.track),
                    harmless(each.file_name), each.rows, each.size, each.sha256, each.received.isoformat(), each.state,
                    harmless(each.error or ""), each.picked is not None,
                )
                for each in session.scalars(select(Submission).order_by(Submission.id))
            ),
        )  # fmt: skip
        files["scorings.csv"] = to_csv(
            _SCORINGS,
            (
                (each.id, each.made.isoformat(), harmless(each.reason), each.version, each.answers_sha256)
                for each in session.scalars(select(Scoring).order_by(Scoring.id))
            ),
        )
        files["audit.csv"] = to_csv(
            _AUDIT,
            (
                (
                    each.id, each.at.isoformat(), harmless(each.actor), each.action, harmless(each.subject),
                    json.dumps(each.detail, ensure_ascii=False, sort_keys=True), each.sha256,
                )
                for each in session.scalars(select(Event).order_by(Event.id))
            ),
        )  # fmt: skip
    files["snapshots.json"] = json.dumps(snapshots(state), default=str, ensure_ascii=False, indent=1)
    headers = {"Content-Disposition": 'attachment; filename="boards.zip"'}
    return Response(to_zip(files), media_type="application/zip", headers=headers)


def _board(board: Board, metrics: list[str]) -> str:
    header = ("rank", "rank_low", "rank_high", "tier", "team_id", "team", metrics[0], "low", "high", *metrics[1:])
    rows = (
        (
            row.place.rank, row.place.rank_low, row.place.rank_high, row.place.tier, row.team_id, harmless(row.team),
            row.place.score, row.place.low, row.place.high, *(row.place.ties or [None] * len(metrics[1:])),
            row.submission_id, row.entries, row.last.isoformat(),
        )
        for row in board.rows
    )  # fmt: skip
    return to_csv((*header, "submission", "entries", "last"), rows)
