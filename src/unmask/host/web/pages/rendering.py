"""HTML from templates: everything is escaped, and a missing value is an error."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from fastapi import Request
from jinja2 import PackageLoader
from markupsafe import Markup
from starlette.responses import HTMLResponse

from unmask import __version__
from unmask.challenge.definition import Phase
from unmask.host.accounts import Account
from unmask.host.web.csrf import proof
from unmask.host.web.state import State
from unmask.scoring.page import environment

STATIC = Path(__file__).parents[1] / "static"
#: Width of a trend line, and its height.
_WIDE, _HIGH = 80.0, 20.0


def render(
    request: Request, state: State, account: Account | None, template: str, status: int = 200, **values: Any
) -> HTMLResponse:
    """A page.

    Args:
        request: which it answers.
        state: of the host.
        account: who looks.
        template: its file in ``templates``.
        status: HTTP status.
        values: what the template shows.
    """
    text = templates().get_template(template).render(
        said=state.host.challenge.definition, account=account, path=request.url.path, version=__version__,
        csrf=lambda: proof(request), message=request.session.pop("said", None), now=state.host.now(), **values,
    )  # fmt: skip
    return HTMLResponse(text, status)


@lru_cache
def templates() -> Any:  # jinja2's Environment
    """The pages' templates, beside those of scorecards, which some build on."""
    found = environment(PackageLoader("unmask.host.web"))
    found.filters |= {"moment": _moment, "trend": _trend, "number": _number, "phase_state": _phase_state}
    found.filters["sentence"] = lambda text: text[:1].upper() + text[1:]
    found.globals["static"] = _static
    return found


@lru_cache
def _static(name: str) -> str:
    """Address of a file in ``static``; it changes with the content, so that browsers may keep the file for good."""
    digest = hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:12]
    return f"/static/{name}?v={digest}"


def _moment(at: datetime) -> Markup:
    """A time in UTC, which a script turns into the reader's."""
    at = at.astimezone(UTC)
    told = f"{at:%Y-%m-%d %H:%M}\u00a0UTC"
    return Markup('<time datetime="{}">{}</time>').format(at.isoformat(timespec="seconds"), told)


def _number(value: float | None, digits: int) -> str:
    return "–" if value is None else f"{value:.{digits}f}"


def _trend(values: Sequence[float | None]) -> str:
    """Points of a line through the values, for ``polyline``; "" where there are fewer than two."""
    known = [(place, value) for place, value in enumerate(values) if value is not None]
    if len(known) < 2:
        return ""
    low, high = min(value for _, value in known), max(value for _, value in known)
    first, last = known[0][0], known[-1][0]
    return " ".join(
        f"{2 + (_WIDE - 4) * (place - first) / (last - first):.1f},"
        f"{_HIGH / 2 if high == low else 3 + (_HIGH - 6) * (high - value) / (high - low):.1f}"
        for place, value in known
    )


def _phase_state(phase: Phase, now: datetime) -> str:
    return "to come" if now < phase.opens else "open now" if now < phase.closes else "over"
