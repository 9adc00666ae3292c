"""Sessions on the server: a random token with the browser, only its hash with us, two clocks."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from serving.accounts import Account, hash_token, read_account
from serving.tables import ACCOUNTS, SESSIONS, writing

IDLE = timedelta(minutes=30)
LONGEST = timedelta(hours=10)
# Not every request needs a write; this much is forgiven of the idle time.
TOUCH_AFTER = timedelta(minutes=1)


@dataclass(frozen=True)
class Session:
    """A signed-in account; `form_token` goes into every form and must come back with it."""

    account: Account
    form_token: str


class Sessions:
    """The sessions in the app database."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def start(self, account: Account, moment: datetime) -> str:
        """A new session; the token is for the cookie. Sessions that ran out are swept away."""
        token = secrets.token_urlsafe(32)
        with writing(self._engine) as connection:
            connection.execute(SESSIONS.delete().where(sa.not_(_alive(moment))))
            connection.execute(
                SESSIONS.insert(),
                {
                    "token_hash": hash_token(token),
                    "account_id": account.account_id,
                    "started_at": moment,
                    "seen_at": moment,
                },
            )
        return token

    def find(self, token: str, moment: datetime) -> Session | None:
        """The session of `token`, kept alive by this look; None when it ended, idled or aged out.

        An account that was deactivated has no sessions.
        """
        mine = SESSIONS.c.token_hash == hash_token(token)
        with self._engine.begin() as connection:
            found = connection.execute(
                sa.select(SESSIONS).where(mine, _alive(moment))
            ).one_or_none()
            if found is None:
                return None
            account = read_account(connection, ACCOUNTS.c.account_id == found.account_id)
        if account is None:
            return None
        if moment - found.seen_at > TOUCH_AFTER:
            with writing(self._engine) as connection:
                connection.execute(SESSIONS.update().where(mine).values(seen_at=moment))
        return Session(account, form_token_of(token))

    def end(self, token: str) -> None:
        """Sign out: the token is worth nothing from now on."""
        with writing(self._engine) as connection:
            connection.execute(SESSIONS.delete().where(SESSIONS.c.token_hash == hash_token(token)))

    def end_all(self, account: Account) -> None:
        """Sign out everywhere, after a new password."""
        with writing(self._engine) as connection:
            connection.execute(SESSIONS.delete().where(SESSIONS.c.account_id == account.account_id))


def form_token_of(token: str) -> str:
    """The form token of a session: follows from its secret, so nothing more need be stored."""
    return hashlib.sha256(b"form:" + token.encode()).hexdigest()


def _alive(moment: datetime) -> sa.ColumnElement[bool]:
    return sa.and_(SESSIONS.c.seen_at > moment - IDLE, SESSIONS.c.started_at > moment - LONGEST)
