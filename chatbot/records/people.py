"""The people who work with the bot: accounts, roles, passwords, one-time links.

Passwords are argon2id hashes with the library's parameters (RFC 9106, second recommended option); a hash made
with older parameters is renewed at the next sign-in. Of a one-time link only the SHA-256 is stored: its token
holds 256 random bits, so a slow hash would protect nothing more.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from datetime import datetime, timedelta
from functools import lru_cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from chatbot.errors import AccessError, ConflictError, InputError, NotFoundError
from chatbot.records.tables import Person, SetupLink, utcnow

ROLES = ("viewer", "agent", "editor", "admin")  # each may do what those before it may
MIN_PASSWORD = 10
MAX_PASSWORD = 200  # a longer one only costs hashing time
LINK_LIFETIME = timedelta(hours=24)
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+|[^@\s]+@localhost")


@lru_cache(maxsize=1)
def _hasher() -> PasswordHasher:
    return PasswordHasher()


@lru_cache(maxsize=1)
def _nobodys_hash() -> str:
    return _hasher().hash(secrets.token_urlsafe())


def at_least(role: str, needed: str) -> bool:
    """Whether ``role`` may do what ``needed`` may; an unknown role may nothing."""
    return role in ROLES and ROLES.index(role) >= ROLES.index(needed)


def fold_email(email: str) -> str:
    """The e-mail address as it is stored: trimmed, lower case. Raises InputError where it is none."""
    folded = email.strip().casefold()
    if len(folded) > 320 or not _EMAIL.fullmatch(folded):
        raise InputError(
            "This is not an e-mail address", field="email", value=email, remedy="Write name@example.com"
        )
    return folded


def check_password(password: str, *, email: str = "") -> None:
    """Raises InputError for a password that is too short, too long, or the e-mail address itself.

    Length is what counts (NIST SP 800-63B, section 3.1.1.2): no rules about digits and signs.
    """
    if len(password) < MIN_PASSWORD:
        raise InputError(
            "The password is too short", field="password", remedy=f"Use at least {MIN_PASSWORD} characters"
        )
    if len(password) > MAX_PASSWORD:
        raise InputError(
            "The password is too long", field="password", remedy=f"Use at most {MAX_PASSWORD} characters"
        )
    if password.casefold() in {email.casefold(), email.partition("@")[0].casefold()}:
        raise InputError("The password is the e-mail address", field="password", remedy="Choose another one")


def check_role(role: str) -> str:
    if role not in ROLES:
        raise InputError("Unknown role", field="role", value=role, remedy=f"Use one of {', '.join(ROLES)}")
    return role


def anybody(session: Session) -> bool:
    """Whether there is an active admin, who can let everyone else in."""
    return session.scalar(select(Person.id).where(Person.role == "admin", Person.active).limit(1)) is not None


def list_people(session: Session) -> list[Person]:
    return list(session.scalars(select(Person).order_by(Person.active.desc(), Person.name, Person.id)))


def get_person(session: Session, person_id: int) -> Person:
    person = session.get(Person, person_id)
    if person is None:
        raise NotFoundError("There is no such person", field="person", value=person_id)
    return person


def find_person(session: Session, email: str) -> Person | None:
    return session.scalar(select(Person).where(Person.email == email.strip().casefold()))


def create_person(
    session: Session, *, email: str, name: str, password: str, role: str, now: datetime | None = None
) -> Person:
    """Raises InputError for unusable values and ConflictError where the address has an account already."""
    email = fold_email(email)
    check_role(role)
    check_password(password, email=email)
    if find_person(session, email) is not None:
        raise ConflictError(
            "Somebody with this e-mail address is here already",
            field="email",
            value=email,
            remedy="Use another address, or send them a link to set a new password",
        )
    person = Person(
        email=email,
        name=name.strip()[:200] or email.partition("@")[0],
        password_hash=_hasher().hash(password),
        role=role,
        created_at=now or utcnow(),
    )
    session.add(person)
    session.flush()
    return person


def verify(session: Session, *, email: str, password: str, now: datetime | None = None) -> Person | None:
    """The active person with this address and password, else None.

    Takes as long for an unknown address as for a wrong password: the answer's time tells nothing about who
    has an account.
    """
    person = find_person(session, email)
    stored = person.password_hash if person is not None and person.active else _nobodys_hash()
    try:
        _hasher().verify(stored, password[: MAX_PASSWORD + 1])
    except (VerificationError, InvalidHashError):
        return None
    if person is None or not person.active:
        return None
    if _hasher().check_needs_rehash(person.password_hash):
        person.password_hash = _hasher().hash(password)
    person.last_sign_in_at = now or utcnow()
    return person


def set_password(session: Session, person: Person, password: str) -> None:
    """Change a password and end every open session of this person."""
    check_password(password, email=person.email)
    person.password_hash = _hasher().hash(password)
    person.session_epoch += 1


def end_sessions(person: Person) -> None:
    person.session_epoch += 1


def set_role(session: Session, person: Person, role: str) -> None:
    """Raises ConflictError where the last admin would lose the role."""
    check_role(role)
    if person.role == "admin" and role != "admin":
        _keep_an_admin(session, person)
    person.role = role


def set_active(session: Session, person: Person, active: bool) -> None:
    """Let someone in or out; out ends their sessions. Raises ConflictError for the last admin."""
    if person.role == "admin" and not active:
        _keep_an_admin(session, person)
    person.active = active
    person.session_epoch += 1


def _keep_an_admin(session: Session, person: Person) -> None:
    others = session.scalar(
        select(func.count())
        .select_from(Person)
        .where(Person.role == "admin", Person.active, Person.id != person.id)
    )
    if not others:
        raise ConflictError(
            "This is the last admin", value=person.email, remedy="Make somebody else an admin first"
        )


# --- one-time links --------------------------------------------------------------------------------------


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def create_link(
    session: Session,
    *,
    role: str,
    email: str | None = None,
    lifetime: timedelta = LINK_LIFETIME,
    now: datetime | None = None,
) -> str:
    """A new link's token; it replaces unused links for the same address (or, without one, the first admin's).

    For an address that has an account the link sets a new password; otherwise it makes an account of ``role``.
    """
    now = now or utcnow()
    check_role(role)
    email = fold_email(email) if email else None
    same = SetupLink.email.is_(None) if email is None else SetupLink.email == email
    session.execute(delete(SetupLink).where(same, SetupLink.used_at.is_(None)))
    token = secrets.token_urlsafe(32)
    session.add(
        SetupLink(
            token_hash=_digest(token), role=role, email=email, expires_at=now + lifetime, created_at=now
        )
    )
    session.flush()
    return token


def open_links(session: Session, *, now: datetime | None = None) -> list[SetupLink]:
    """Links to an address that still work, the newest first: invitations and links to set a new password."""
    query = select(SetupLink).where(
        SetupLink.email.is_not(None), SetupLink.used_at.is_(None), SetupLink.expires_at > (now or utcnow())
    )
    return list(session.scalars(query.order_by(SetupLink.id.desc())))


def withdraw_link(session: Session, link_id: int) -> str:
    """From now on the link opens nothing; returns its address. Raises NotFoundError for one that does not work."""
    link = next((link for link in open_links(session) if link.id == link_id), None)
    if link is None:
        raise NotFoundError("There is no such link", field="link", value=link_id)
    email = str(link.email)
    session.delete(link)
    return email


def open_link(session: Session, token: str, *, now: datetime | None = None) -> SetupLink:
    """The link of a token. Raises AccessError where it is unknown, used or expired: all three look the same."""
    now = now or utcnow()
    link = session.scalar(select(SetupLink).where(SetupLink.token_hash == _digest(token)))
    stale = link is None or link.used_at is not None or link.expires_at <= now
    # A link without an address makes the first admin: worthless as soon as there is one.
    if link is None or stale or (link.email is None and anybody(session)):
        raise AccessError(
            "This link does not work any more",
            code="link_expired",
            remedy="Ask an admin for a new one, or restart the server if nobody can sign in yet",
        )
    return link


def use_link(
    session: Session, token: str, *, email: str, name: str, password: str, now: datetime | None = None
) -> Person:
    """Make the account (or set the new password) that a link stands for; the link is used up."""
    now = now or utcnow()
    link = open_link(session, token, now=now)
    person = find_person(session, link.email) if link.email else None
    if person is not None:
        if not person.active:
            raise AccessError("This account is switched off", remedy="Ask an admin to switch it on again")
        set_password(session, person, password)
    else:
        person = create_person(
            session, email=link.email or email, name=name, password=password, role=link.role, now=now
        )
    link.used_at = now
    return person
