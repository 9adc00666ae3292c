"""Local accounts: one-time set-up links, passwords (Argon2id) and a throttle on signing in."""

import hashlib
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError

from features.errors import NotThere, SettingsError
from features.vocabulary import Role
from serving.tables import ACCOUNT_SCHOOLS, ACCOUNTS, SETUP_LINKS, SIGN_IN_FAILURES, writing

LINK_LIFETIME = timedelta(hours=72)
SHORTEST_PASSWORD = 12
LONGEST_PASSWORD = 128


@dataclass(frozen=True)
class Limit:
    """At most so many failures within the window; then wait until the oldest falls out of it."""

    window: timedelta
    per_account: int
    per_address: int


# A whole school signs in from one address, so an address may fail more often than an account.
LIMITS = (
    Limit(timedelta(minutes=10), per_account=3, per_address=20),
    Limit(timedelta(hours=24), per_account=15, per_address=100),
)


@dataclass(frozen=True)
class Account:
    """Someone who can sign in, with the role and the schools that decide what they see.

    `may_export`: may take pupils out of the pages, as a document or a spreadsheet.
    """

    account_id: str
    email: str
    name: str
    role: Role
    schools: frozenset[str]
    may_export: bool = False


class Refusal(StrEnum):
    """Why a sign-in did not succeed; an unknown account and a wrong password look the same."""

    WRONG = "wrong"
    WAIT = "wait"


class PasswordProblem(StrEnum):
    """What is wrong with a chosen password."""

    TOO_SHORT = "too_short"
    TOO_LONG = "too_long"
    GUESSABLE = "guessable"


_GUESSABLE = ("", "wachtwoord", "welkom", "password", "school", "tijdig", "qwerty", "qwertyuiop")


def password_problem(password: str, account: Account) -> PasswordProblem | None:
    """The first thing wrong with `password` for `account`; None if it will do.

    Length is what counts; no demands on kinds of characters.

    >>> someone = Account("1", "anna@school.example", "Anna Bos", Role.DATA_SCIENTIST, frozenset())
    >>> password_problem("Welkom2026!!", someone)
    <PasswordProblem.GUESSABLE: 'guessable'>
    >>> password_problem("vier woorden in rij", someone) is None
    True
    """
    if len(password) < SHORTEST_PASSWORD:
        return PasswordProblem.TOO_SHORT
    if len(password) > LONGEST_PASSWORD:
        return PasswordProblem.TOO_LONG
    lowered = password.casefold()
    letters = "".join(character for character in lowered if character.isalpha())
    own = (account.email.split("@")[0], account.name.casefold().replace(" ", ""))
    if letters in _GUESSABLE or letters in own or len(set(lowered)) < 5:
        return PasswordProblem.GUESSABLE
    return None


class Accounts:
    """The accounts in the app database. Tests pass a cheaper `hasher`; nobody else should."""

    def __init__(self, engine: sa.Engine, hasher: PasswordHasher | None = None) -> None:
        self._engine = engine
        self._hasher = hasher or PasswordHasher()
        # Unknown accounts are checked against this, so that they take as long as known ones.
        self._decoy = self._hasher.hash(secrets.token_hex(16))

    def add(
        self,
        email: str,
        name: str,
        role: Role,
        schools: Iterable[str],
        moment: datetime,
        *,
        may_export: bool = False,
    ) -> Account:
        """A new account, without a password until its set-up link is used."""
        account_id, plain = secrets.token_hex(16), _plain(email)
        account = Account(account_id, plain, name, role, frozenset(schools), may_export)
        if self.find(email) is not None:
            raise SettingsError(f"an account for {account.email} exists; make a new link for it")
        with writing(self._engine) as connection:
            connection.execute(
                ACCOUNTS.insert(),
                {
                    "account_id": account.account_id,
                    "email": account.email,
                    "name": name,
                    "role": role.value,
                    "active": True,
                    "created_at": moment,
                    "may_export": may_export,
                },
            )
            for school in sorted(account.schools):
                connection.execute(
                    ACCOUNT_SCHOOLS.insert(), {"account_id": account.account_id, "school": school}
                )
        return account

    def find(self, email: str) -> Account | None:
        """The active account with this e-mail address."""
        with self._engine.begin() as connection:
            return read_account(connection, ACCOUNTS.c.email == _plain(email))

    def every(self) -> list[Account]:
        """All active accounts, by e-mail address."""
        with self._engine.begin() as connection:
            emails = connection.scalars(
                sa.select(ACCOUNTS.c.email).where(ACCOUNTS.c.active).order_by(ACCOUNTS.c.email)
            ).all()
            found = [read_account(connection, ACCOUNTS.c.email == email) for email in emails]
        return [account for account in found if account is not None]

    def make_link(self, email: str, moment: datetime) -> str:
        """The secret of a new set-up link; earlier links of the account stop working."""
        account = self.find(email)
        if account is None:
            raise NotThere(f"no account for {email}; add it first")
        token = secrets.token_urlsafe(32)
        with writing(self._engine) as connection:
            connection.execute(
                SETUP_LINKS.delete().where(SETUP_LINKS.c.account_id == account.account_id)
            )
            connection.execute(
                SETUP_LINKS.insert(),
                {
                    "token_hash": hash_token(token),
                    "account_id": account.account_id,
                    "expires_at": moment + LINK_LIFETIME,
                },
            )
        return token

    def account_of_link(self, token: str, moment: datetime) -> Account | None:
        """Whose link this is; None when it is unknown, used or too old. Looking uses nothing up."""
        with self._engine.begin() as connection:
            account_id = connection.scalar(
                sa.select(SETUP_LINKS.c.account_id).where(*_usable(token, moment))
            )
            return read_account(connection, ACCOUNTS.c.account_id == account_id)

    def use_link(self, token: str, password: str, moment: datetime) -> Account | None:
        """Set the password and use the link up; None when somebody was first or it is too old.

        The password has been checked by `password_problem`.
        """
        hashed = self._hasher.hash(password)
        with writing(self._engine) as connection:
            account_id = connection.scalar(
                sa.update(SETUP_LINKS)
                .where(*_usable(token, moment))
                .values(used_at=moment)
                .returning(SETUP_LINKS.c.account_id)
            )
            account = read_account(connection, ACCOUNTS.c.account_id == account_id)
            if account is not None:
                _set_password(connection, account, hashed)
                _forget_failures(connection, account.email)
        return account

    def sign_in(
        self, email: str, password: str, address: str, moment: datetime
    ) -> Account | Refusal:
        """The account when the password is right and there were not too many failures."""
        with writing(self._engine) as connection:
            if _must_wait(connection, email, address, moment):
                return Refusal.WAIT
            # Written down before the check: guesses sent at the same time all count.
            _note_failure(connection, email, address, moment)
            account = read_account(connection, ACCOUNTS.c.email == _plain(email))
            hashed = connection.scalar(
                sa.select(ACCOUNTS.c.password).where(ACCOUNTS.c.email == _plain(email))
            )
        too_long = len(password) > LONGEST_PASSWORD
        right = self._is_right(hashed or self._decoy, "" if too_long else password)
        if account is None or hashed is None or not right:
            return Refusal.WRONG
        with writing(self._engine) as connection:
            _forget_failures(connection, account.email)
            if self._hasher.check_needs_rehash(hashed):
                _set_password(connection, account, self._hasher.hash(password))
        return account

    def deactivate(self, email: str) -> None:
        """Nobody signs in with this account any more, and its sessions end at once."""
        with writing(self._engine) as connection:
            connection.execute(
                ACCOUNTS.update().where(ACCOUNTS.c.email == _plain(email)).values(active=False)
            )

    def _is_right(self, hashed: str, password: str) -> bool:
        try:
            return self._hasher.verify(hashed, password)
        except VerifyMismatchError:
            return False


def read_account(connection: sa.Connection, condition: sa.ColumnElement[bool]) -> Account | None:
    """The active account that fits `condition`, with its schools."""
    found = connection.execute(
        sa.select(ACCOUNTS).where(condition, ACCOUNTS.c.active)
    ).one_or_none()
    if found is None:
        return None
    schools = connection.scalars(
        sa.select(ACCOUNT_SCHOOLS.c.school).where(ACCOUNT_SCHOOLS.c.account_id == found.account_id)
    )
    return account_of(found, schools)


def account_of(found: sa.Row[Any], schools: Iterable[str]) -> Account:
    """The account in a row that holds its columns."""
    return Account(
        found.account_id,
        found.email,
        found.name,
        Role(found.role),
        frozenset(schools),
        found.may_export,
    )


def hash_token(token: str) -> str:
    """What is stored of a random token; the token itself is with its holder only."""
    return hashlib.sha256(token.encode()).hexdigest()


def _plain(email: str) -> str:
    return email.strip().casefold()


def _usable(token: str, moment: datetime) -> tuple[sa.ColumnElement[bool], ...]:
    return (
        SETUP_LINKS.c.token_hash == hash_token(token),
        SETUP_LINKS.c.used_at.is_(None),
        SETUP_LINKS.c.expires_at > moment,
    )


def _set_password(connection: sa.Connection, account: Account, hashed: str) -> None:
    connection.execute(
        ACCOUNTS.update().where(ACCOUNTS.c.account_id == account.account_id).values(password=hashed)
    )


def _must_wait(connection: sa.Connection, email: str, address: str, moment: datetime) -> bool:
    def failures(condition: sa.ColumnElement[bool], window: timedelta) -> Any:
        recent = SIGN_IN_FAILURES.c.failed_at > moment - window
        return connection.scalar(sa.select(sa.func.count()).where(condition, recent))

    by_account = SIGN_IN_FAILURES.c.email_hash == hash_token(_plain(email))
    by_address = SIGN_IN_FAILURES.c.address == address
    return any(
        failures(by_account, limit.window) >= limit.per_account
        or failures(by_address, limit.window) >= limit.per_address
        for limit in LIMITS
    )


def _note_failure(connection: sa.Connection, email: str, address: str, moment: datetime) -> None:
    longest = max(limit.window for limit in LIMITS)
    connection.execute(
        SIGN_IN_FAILURES.delete().where(SIGN_IN_FAILURES.c.failed_at <= moment - longest)
    )
    # Only the hash: people type passwords into the wrong field.
    connection.execute(
        SIGN_IN_FAILURES.insert(),
        {"email_hash": hash_token(_plain(email)), "address": address, "failed_at": moment},
    )


def _forget_failures(connection: sa.Connection, email: str) -> None:
    connection.execute(
        SIGN_IN_FAILURES.delete().where(SIGN_IN_FAILURES.c.email_hash == hash_token(_plain(email)))
    )
