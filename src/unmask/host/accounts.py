"""Teams, and the tokens by which their members and the organizers are known.

A token is 256 drawn bits, shown once. The database has its SHA-256 alone: drawn bits need no
slow hash.
"""

from __future__ import annotations

import hashlib
import re
import secrets
import unicodedata
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from unmask.host.events import log
from unmask.host.records import MEMBER, ORGANIZER, Invitation, Team, Token
from unmask.host.refusals import RefusedError

_TOKEN, _INVITATION = "um_", "join_"
#: How long an invitation is good for.
VALID = timedelta(days=14)
_LONGEST = 60
#: Letters that are taken for Latin ones, and what is taken for another in many typefaces.
_ALIKE = str.maketrans(
    "АВЕЅІЈКМНОРСТУХаеѕіјорсухԁһԛԝΑΒΕΖΗΙΚΜΝΟΡΤΥΧανορι",
    "ABESIJKMHOPCTYXaesijopcyxdhqwABEZHIKMNOPTYXavopi",
)
_ALIKE_SMALL = str.maketrans("l1|0", "iiio")
#: What counts as printable though it shows nothing (Unicode's default ignorable code points, and the blank one of
#: Braille), and more marks on one letter than any language has.
_UNSEEN = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
    "|[\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]{4}"
)


@dataclass(frozen=True)
class Account:
    """Who is asking.

    Attributes:
        token_id: of the token.
        role: ``MEMBER`` or ``ORGANIZER``.
        member: the person's name.
        team_id: None for organizers.
        team: the team's name; "" for organizers.
    """

    token_id: int
    role: str
    member: str
    team_id: int | None
    team: str

    @property
    def organizes(self) -> bool:
        """Whether they may do what organizers may."""
        return self.role == ORGANIZER

    @property
    def actor(self) -> str:
        """As the audit log names them."""
        return f"{self.member} (organizer)" if self.organizes else f"{self.member} of {self.team}"


def authenticate(session: Session, secret: str) -> Account | None:
    """Whose token this is; None where it is nobody's, or was revoked."""
    token = session.scalar(select(Token).where(Token.digest == _digest(secret), Token.revoked.is_(None)))
    return None if token is None else account_of(token)


def account_of(token: Token) -> Account:
    """The account that a token stands for."""
    return Account(token.id, token.role, token.member, token.team_id, token.team.name if token.team else "")


def begin_session(session: Session, account: Account) -> list[int]:
    """What a browser's signed session keeps, by which ``by_session`` knows the account again."""
    return [account.token_id, session.get_one(Token, account.token_id).signed_out]


def by_session(session: Session, kept: object) -> Account | None:
    """Whose session this is; None where it was ended, or the token was revoked."""
    if not isinstance(kept, list) or len(kept) != 2:
        return None
    token = session.get(Token, kept[0])
    return None if token is None or token.revoked is not None or token.signed_out != kept[1] else account_of(token)


def end_sessions(session: Session, account: Account) -> None:
    """Sign out all browsers that signed in with a token, in a writing transaction."""
    session.get_one(Token, account.token_id).signed_out += 1


def make_team(session: Session, at: datetime, actor: str, name: str) -> Team:
    """A new team.

    Raises:
        RefusedError: the name cannot be used, or is another's, give or take case, width, blanks and like letters.
    """
    name = clean_name(name, "team")
    key = _key(name)
    if session.scalar(select(Team.id).where(Team.key == key)) is not None:
        raise RefusedError(409, "name_taken", f"there is a team called {name} already", "choose another name")
    team = Team(name=name, key=key, made=at)
    session.add(team)
    session.flush()
    log(session, at, actor, "made a team", f"team {team.id}", name=name)
    return team


def make_token(session: Session, at: datetime, actor: str, member: str, team: Team | None) -> str:
    """A new token for a member of a team, or for an organizer where there is none; told this once.

    Raises:
        RefusedError: the member's name cannot be used.
    """
    secret = _TOKEN + secrets.token_urlsafe(32)
    token = Token(
        team_id=None if team is None else team.id, role=ORGANIZER if team is None else MEMBER,
        member=clean_name(member, "member"), digest=_digest(secret), hint=secret[: len(_TOKEN) + 4], made=at,
    )  # fmt: skip
    session.add(token)
    session.flush()
    whose = "an organizer" if team is None else team.name
    log(session, at, actor, "made a token", f"token {token.id}", member=token.member, whose=whose)
    return secret


def revoke(session: Session, at: datetime, actor: str, token_id: int) -> None:
    """Make a token worthless from now on.

    Raises:
        RefusedError: there is no such token, or it is the last by which the challenge can be organized.
    """
    token = session.get(Token, token_id)
    if token is None:
        raise RefusedError(404, "no_token", f"there is no token {token_id}", "look at the list of tokens")
    if token.revoked is not None:
        return
    organizers = select(Token.id).where(Token.role == ORGANIZER, Token.revoked.is_(None))
    if token.role == ORGANIZER and len(session.scalars(organizers).all()) == 1:
        raise RefusedError(409, "last_organizer", "this is the last token of an organizer", "make another one first")
    token.revoked = at
    log(session, at, actor, "revoked a token", f"token {token_id}", member=token.member)


def invite(session: Session, at: datetime, actor: str, team: Team | None) -> str:
    """An invitation to make a team, or to join one, for whoever bears it; told this once."""
    secret = _INVITATION + secrets.token_urlsafe(24)
    invitation = Invitation(
        team_id=None if team is None else team.id, digest=_digest(secret), made=at, expires=at + VALID
    )
    session.add(invitation)
    session.flush()
    whom = "a new team" if team is None else f"team {team.id}"
    log(session, at, actor, "invited", whom, invitation=invitation.id)
    return secret


def invitations(session: Session, at: datetime) -> list[Invitation]:
    """Those that can still be used, the first first."""
    return [each for each in session.scalars(select(Invitation).order_by(Invitation.id)) if _is_good(each, at)]


def revoke_invitation(session: Session, at: datetime, actor: str, number: int) -> None:
    """Make an invitation worthless from now on.

    Raises:
        RefusedError: there is no such invitation, or somebody has used it.
    """
    invitation = session.get(Invitation, number)
    if invitation is None:
        raise RefusedError(404, "no_invitation", f"there is no invitation {number}", "look at the list of invitations")
    if invitation.used is not None:
        remedy = "revoke the token that it gave"
        raise RefusedError(409, "invitation_used", f"somebody has used invitation {number}", remedy)
    if invitation.revoked is None:
        invitation.revoked = at
        log(session, at, actor, "revoked an invitation", f"invitation {number}")


def accept(session: Session, at: datetime, secret: str | None, member: str, name: str, *, anybody: bool) -> str:
    """Make a team or join one; the new member's token.

    Args:
        session: a writing one.
        at: when.
        secret: an invitation; None where registration is open.
        member: name of the person.
        name: of the new team; not used where the invitation is to join one.
        anybody: whether registration is open.

    Raises:
        RefusedError: no invitation is needed and given, or a name cannot be used.
    """
    invitation = None
    if secret:
        invitation = session.scalar(select(Invitation).where(Invitation.digest == _digest(secret)))
        if invitation is None or not _is_good(invitation, at):
            what = "the invitation is unknown, used, revoked or old"
            raise RefusedError(403, "bad_invitation", what, "ask for another one")
        invitation.used = at
    elif not anybody:
        raise RefusedError(403, "invitation_needed", "teams take part by invitation", "ask the organizer for one")
    member = clean_name(member, "member")
    team = session.get(Team, invitation.team_id) if invitation is not None and invitation.team_id else None
    if team is None:
        team = make_team(session, at, member, name)
    return make_token(session, at, member, member, team)


def _is_good(invitation: Invitation, at: datetime) -> bool:
    return invitation.used is None and invitation.revoked is None and invitation.expires > at


def clean_name(name: str, what: str) -> str:
    """A name without blanks at its ends, in Unicode's composed form.

    Raises:
        RefusedError: it is empty, too long, or has signs that nobody sees.
    """
    name = unicodedata.normalize("NFC", name).strip()
    # Some single signs are many in the form in which names are compared.
    if not 0 < len(unicodedata.normalize("NFKC", name)) <= _LONGEST or len(name) > _LONGEST or _has_unseen(name):
        told = f"the {what}'s name is empty, longer than {_LONGEST} characters, or has signs that nobody sees"
        raise RefusedError(422, "bad_name", told, f"write a name of 1 to {_LONGEST} visible characters")
    return name


def clean_reason(reason: str) -> str:
    """A reason without blanks at its ends.

    Raises:
        RefusedError: it is empty, of several lines, or has signs that nobody sees.
    """
    reason = unicodedata.normalize("NFC", reason).strip()
    if not reason or _has_unseen(reason):
        told = "the reason is empty, has several lines, or signs that nobody sees"
        raise RefusedError(422, "bad_reason", told, "write on one line what teams shall read")
    return reason


def _has_unseen(text: str) -> bool:
    """Whether text has signs that nobody sees, or that reach over others."""
    return not text.isprintable() or _UNSEEN.search(unicodedata.normalize("NFD", text)) is not None


def _key(name: str) -> str:
    """What two names share that people would take for each other."""
    plain = unicodedata.normalize("NFKC", name).translate(_ALIKE).casefold()
    return "".join(plain.translate(_ALIKE_SMALL).split())


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()
