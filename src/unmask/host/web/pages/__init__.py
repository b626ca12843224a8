"""Pages: rendered here, light, and usable without scripts."""

from fastapi import APIRouter

from unmask.host.web.pages import (
    account,
    board,
    charts,
    desk,
    export,
    members,
    submissions,
    submit,
    texts,
    watching,
)

router = APIRouter(include_in_schema=False)
for part in (board, charts, texts, account, submit, submissions, desk, members, watching, export):
    router.include_router(part.router)
