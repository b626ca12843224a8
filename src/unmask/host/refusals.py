"""What the server refuses, and how it says so: one shape for the API, the pages and the terminal."""

from __future__ import annotations

from unmask.tables.errors import UnmaskError


class RefusedError(UnmaskError):
    """Something that is not done, and why.

    Args:
        status: HTTP status.
        code: a short name that programs can tell it by, such as ``daily_limit``.
        what: one sentence.
        next_step: what the reader can do.
        problems: of a file, one a line.
    """

    def __init__(self, status: int, code: str, what: str, next_step: str, problems: list[str] | None = None) -> None:
        self.status = status
        self.code = code
        self.problems = problems or []
        super().__init__(what, next_step=next_step)

    def as_dict(self) -> dict[str, object]:
        """The one JSON shape of an error."""
        return {"error": {"code": self.code, "what": self.what, "next_step": self.next_step, "problems": self.problems}}
