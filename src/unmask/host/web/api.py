"""The REST API for whoever takes part: the challenge, boards, submissions."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, File, Form, Path, Query, Request, UploadFile
from sqlalchemy import select
from starlette.concurrency import run_in_threadpool

from unmask import __version__
from unmask.host.accounts import accept
from unmask.host.boards import shown_scores
from unmask.host.finals import is_closed, pick
from unmask.host.quota import quota
from unmask.host.records import Scoring, Snapshot, Submission
from unmask.host.refusals import RefusedError
from unmask.host.scoring import PUBLIC, current
from unmask.host.web.shapes import ErrorShape, MeOut, PickIn, QuotaOut, RegisterIn, SecretOut, SubmissionOut
from unmask.host.web.state import AnyAccount, Member, State, StateOf

#: Every error has the same shape.
ERRORS: dict[int | str, dict[str, Any]] = {
    code: {"model": ErrorShape} for code in (400, 401, 403, 404, 409, 413, 422, 429, 503)
}
router = APIRouter(prefix="/api", responses=ERRORS)
Number = Annotated[int, Path(ge=1, le=2**31 - 1)]


@router.get("/challenge", tags=["challenge"])
def challenge(state: StateOf) -> dict[str, Any]:
    """What is asked, how it is scored, and until when."""
    said = state.host.challenge.definition
    with state.host.database.reading() as session:
        closed, scoring = is_closed(session), current(session)
    return {
        "name": said.name,
        "metrics": [{"name": each.name, "title": each.title, "direction": each.direction} for each in said.metrics],
        "digits": said.digits,
        "clip": said.clip,
        "threshold": said.threshold,
        "prevalence": said.prevalence,
        "budget": said.budget,
        "ids": len(state.host.challenge.ids),
        "media": list(said.media),
        "tracks": list(said.tracks),
        "phases": [{"name": each.name, "opens": each.opens, "closes": each.closes} for each in said.phases],
        "limits": {
            "daily": said.limits.daily, "total": said.limits.total, "failures": said.limits.failures,
            "megabytes": said.limits.megabytes, "minutes": said.limits.minutes,
        },
        "finals": said.finals,
        "ladder": said.ladder,
        "registration": said.registration,
        "closed": closed,
        "scoring": None if scoring is None else scoring.id,
        "version": __version__,
    }  # fmt: skip


@router.get("/board", tags=["challenge"])
def board(
    state: StateOf,
    account: AnyAccount,
    part: Annotated[str, Query(pattern="^(public|private)$")] = PUBLIC,
    track: Annotated[str, Query(max_length=200)] = "",
    scoring: Annotated[int | None, Query(ge=1, le=2**31 - 1, description="An earlier one; else the last.")] = None,
) -> dict[str, Any]:
    """The board: teams with rank, score, intervals and tier. The private part is shown after the close."""
    with state.host.database.reading() as session:
        return state.board(session, part, track, scoring, account).as_dict(state.host.challenge.definition.show)


@router.get("/scorings", tags=["challenge"])
def scorings(state: StateOf) -> list[dict[str, Any]]:
    """All scorings, the first first: another begins where the answer key or the scorer is corrected."""
    with state.host.database.reading() as session:
        return [
            {
                "id": each.id, "made": each.made, "reason": each.reason, "version": each.version,
                "answers_sha256": each.answers_sha256, "protocol": each.protocol,
            }
            for each in session.scalars(select(Scoring).order_by(Scoring.id))
        ]  # fmt: skip


@router.get("/snapshots", tags=["challenge"])
def snapshots(state: StateOf) -> list[dict[str, Any]]:
    """What was published at the close: the very text, its Ed25519 signature, and the key to check it with."""
    from unmask.host.finals import public_key

    with state.host.database.reading() as session:
        key = public_key(session)
        return [
            {"id": each.id, "made": each.made, "content": each.content, "signature": each.signature, "public_key": key}
            for each in session.scalars(select(Snapshot).order_by(Snapshot.id))
        ]


@router.post("/register", tags=["teams"], status_code=201)
def register(state: StateOf, given: RegisterIn) -> SecretOut:
    """Make a team, or join one by invitation; the token is shown this once."""
    host = state.host
    anybody = host.challenge.definition.registration == "open"
    with host.database.writing() as session:
        if is_closed(session):
            raise RefusedError(403, "closed", "the challenge is closed", "look at the final board")
        secret = accept(session, host.now(), given.invitation, given.member, given.team, anybody=anybody)
    return SecretOut(token=secret)


@router.get("/me", tags=["teams"])
def me(state: StateOf, account: Member) -> MeOut:
    """Who is asking, and what is left to the team today."""
    left = None
    if account.team_id is not None:
        with state.host.database.reading() as session:
            limits = state.host.challenge.definition.limits
            left = QuotaOut.of(quota(session, account.team_id, limits, state.host.now()))
    return MeOut(member=account.member, role=account.role, team=account.team or None, quota=left)


@router.post("/submissions", tags=["submissions"], status_code=201)
async def submit(
    request: Request,
    state: StateOf,
    account: Member,
    file: Annotated[UploadFile, File(description="id,score for every id: .csv, .csv.gz or .parquet.")],
    track: Annotated[str, Form(max_length=200)] = "",
) -> SubmissionOut:
    """Send a file. It is checked at once, without a look at the labels; a refused one costs no submission."""
    made = await state.submit(request, account, file, track)
    return await run_in_threadpool(submission, state, account, made.id)


@router.get("/submissions", tags=["submissions"])
def submissions(state: StateOf, account: Member) -> list[SubmissionOut]:
    """All submissions of the team, the first first."""
    return own_submissions(state, account.team_id)


@router.get("/submissions/{number}", tags=["submissions"])
def submission(state: StateOf, account: Member, number: Number) -> SubmissionOut:
    """One submission of the team."""
    found = [each for each in own_submissions(state, account.team_id) if each.id == number]
    if not found:
        raise RefusedError(404, "no_submission", f"the team has no submission {number}", "look at its list")
    return found[0]


@router.put("/submissions/{number}/pick", tags=["submissions"])
def choose(state: StateOf, account: Member, number: Number, given: PickIn) -> SubmissionOut:
    """Make a submission a final pick, or take that back."""
    host = state.host
    with host.database.writing() as session:
        pick(session, host.challenge.definition, account, number, host.now(), picked=given.picked)
    return submission(state, account, number)


def own_submissions(state: State, team_id: int | None) -> list[SubmissionOut]:
    """A team's submissions, as it may know them, the first first."""
    definition = state.host.challenge.definition
    with state.host.database.reading() as session:
        scoring, paused = current(session), state.paused(session)
        shown = {}
        if scoring is not None and team_id is not None:
            found = shown_scores(session, definition, scoring, PUBLIC, team_id=team_id)
            shown = {each.submission.id: each for each in found}
        query = select(Submission).where(Submission.team_id == team_id).order_by(Submission.id)
        return [
            SubmissionOut.of(each, shown.get(each.id), definition.digits, paused=paused)
            for each in session.scalars(query)
        ]
