"""Sessions on the server: a random token with the browser, only its hash with us, two clocks."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from serving.accounts import Account, account_of, hash_token
from serving.tables import ACCOUNT_SCHOOLS, ACCOUNTS, SESSIONS, writing

IDLE = timedelta(minutes=30)
LONGEST = timedelta(hours=10)
# Not every request needs a write; this much is forgiven of the idle time.
TOUCH_AFTER = timedelta(minutes=1)

# Every page asks for its session: the questions are made once.
_FOUND = (
    sa.select(SESSIONS.c.seen_at, ACCOUNTS)
    .join_from(SESSIONS, ACCOUNTS)
    .where(
        SESSIONS.c.token_hash == sa.bindparam("digest"),
        SESSIONS.c.seen_at > sa.bindparam("seen"),
        SESSIONS.c.started_at > sa.bindparam("started"),
        ACCOUNTS.c.active,
    )
)
_SCHOOLS = sa.select(ACCOUNT_SCHOOLS.c.school).where(
    ACCOUNT_SCHOOLS.c.account_id == sa.bindparam("account")
)


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
        digest = hash_token(token)
        alive = {"digest": digest, "seen": moment - IDLE, "started": moment - LONGEST}
        with self._engine.begin() as connection:
            found = connection.execute(_FOUND, alive).one_or_none()
            if found is None:
                return None
            schools = connection.scalars(_SCHOOLS, {"account": found.account_id})
            account = account_of(found, schools)
        if moment - found.seen_at > TOUCH_AFTER:
            mine = SESSIONS.c.token_hash == digest
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
