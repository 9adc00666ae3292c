"""A name for a key, at display time only; every opening of the vault stands in the audit chain."""

import threading
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from features.errors import NotAllowed
from features.governance.audit import AuditChain
from features.governance.vault import Identity, Vault
from features.settings import Home
from features.vocabulary import PupilKey
from serving.access import Area, may_visit, reason_for_access
from serving.accounts import Account

NOT_IN_VAULT = "(naam niet bekend)"
SHORTEST_SEARCH = 2
MOST_FOUND = 20


@dataclass(frozen=True)
class PupilName:
    """A pupil's name as people write it, and as they look it up."""

    full: str
    sort_key: tuple[str, str]

    def __repr__(self) -> str:
        """Nothing: a traceback or a log line must not tell a name."""
        return "PupilName(…)"


def pupil_name(identity: Identity | None) -> PupilName:
    """The name of `identity`; pupils are looked up by family name without its prefix.

    >>> name = pupil_name(Identity("Anna", "van den", "Berg", "123"))
    >>> name.full, name.sort_key
    ('Anna van den Berg', ('berg', 'anna'))
    """
    if identity is None or not (identity.given_name or identity.family_name):
        return PupilName(NOT_IN_VAULT, ("", ""))
    return PupilName(
        _full_name(identity),
        (_without_accents(identity.family_name), _without_accents(identity.given_name)),
    )


def _full_name(identity: Identity | None) -> str:
    if identity is None or not (identity.given_name or identity.family_name):
        return NOT_IN_VAULT
    parts = (identity.given_name, identity.name_prefix, identity.family_name)
    return " ".join(filter(None, parts))


def _without_accents(text: str) -> str:
    if text.isascii():  # most names: a search reads those of a whole school
        return text.lower()
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(letter for letter in decomposed if not unicodedata.combining(letter))


@dataclass(frozen=True)
class FoundPupil:
    """A pupil found for a request, with the school's own number to tell namesakes apart."""

    pupil_key: PupilKey
    name: PupilName
    pupil_number: str

    def __repr__(self) -> str:
        """Nothing: a traceback or a log line must not tell a name or number."""
        return "FoundPupil(…)"


def _is_asked_for(identity: Identity, asked: str, words: Sequence[str]) -> bool:
    if identity.pupil_number.lstrip("0") == asked.strip().lstrip("0"):
        return True
    parts = " ".join(identity.parts[:3])
    return all(word in _without_accents(parts) for word in words)


class Names:
    """Opens the vault for an account that may see the school, and says so in the chain first."""

    def __init__(self, home: Home, environ: Mapping[str, str], audit: AuditChain) -> None:
        self._home = home
        self._environ = environ
        self._audit = audit
        self._vault: Vault | None = None
        self._opening = threading.Lock()

    def look(
        self,
        account: Account,
        school: str,
        pupil_keys: Sequence[PupilKey],
        moment: datetime,
        event: str,
        subject: str = "",
        detail: Mapping[str, str | int] | None = None,
    ) -> dict[PupilKey, PupilName]:
        """The names of these pupils of `school`; `event` and `subject` say what the look was for.

        The look is logged before a name is read: no log, no name.
        """
        found = self._opened(account, school, pupil_keys, moment, event, subject, detail or {})
        return {key: pupil_name(found.get(key)) for key in pupil_keys}

    def look_for(
        self,
        account: Account,
        school: str,
        pupil_keys: Sequence[PupilKey],
        moment: datetime,
        event: str,
        fits: Callable[[str], bool],
    ) -> dict[PupilKey, PupilName]:
        """Those of these pupils whose name as people write it `fits`; logged as a look at all."""
        found = self._opened(account, school, pupil_keys, moment, event, "", {})
        known = ((key, found.get(key)) for key in pupil_keys)
        return {key: pupil_name(one) for key, one in known if fits(_full_name(one))}

    def _opened(
        self,
        account: Account,
        school: str,
        pupil_keys: Sequence[PupilKey],
        moment: datetime,
        event: str,
        subject: str,
        detail: Mapping[str, str | int],
    ) -> dict[PupilKey, Identity]:
        if reason_for_access(account, school) is None:
            raise NotAllowed(f"role {account.role} may not read names of school {school}")
        self._audit.append(
            moment,
            account.email,
            account.role,
            event,
            subject=subject,
            school=school,
            detail={"pupils": len(pupil_keys), **detail},
        )
        return self._open().identities(pupil_keys)

    def find(
        self, account: Account, school: str, asked: str, moment: datetime
    ) -> list["FoundPupil"]:
        """The pupils of `school` with this number, or with all these words in the name.

        For a request of a pupil or parent only. That someone searched stands in the chain before
        the vault is opened; what was asked is not kept, for it is a name.
        """
        self._only_for_rights(account)
        self._write(account, "pupil_searched", moment, school=school)
        words = _without_accents(asked).split()
        if not words or len("".join(words)) < SHORTEST_SEARCH:
            return []
        found = [
            FoundPupil(key, pupil_name(identity), identity.pupil_number)
            for key, identity in self._open().pupils_of(school).items()
            if _is_asked_for(identity, asked, words)
        ]
        return sorted(found, key=lambda one: one.name.sort_key)[:MOST_FOUND]

    def of_request(
        self, account: Account, school: str, pupil_key: PupilKey, moment: datetime, event: str
    ) -> "FoundPupil":
        """Who a request is about; `event` says in the chain what it was opened for."""
        self._only_for_rights(account)
        self._write(account, event, moment, subject=pupil_key, school=school)
        identity = self._open().identities([pupil_key]).get(pupil_key)
        number = identity.pupil_number if identity else ""
        return FoundPupil(pupil_key, pupil_name(identity), number)

    def known_as(self, account: Account, pupil_key: PupilKey) -> tuple[PupilKey, ...]:
        """Every pseudonym of one person who changed school, this one first; opens no name."""
        self._only_for_rights(account)
        return self._open().known_as(pupil_key)

    def forget(self, account: Account, pupil_keys: Sequence[PupilKey]) -> int:
        """Take an erased pupil out of the vault; the erasure itself is written by its caller."""
        self._only_for_rights(account)
        vault = self._open()
        return sum(vault.forget(key) for key in pupil_keys)

    def _only_for_rights(self, account: Account) -> None:
        if not may_visit(account, Area.RIGHTS):
            raise NotAllowed(f"role {account.role} does not answer requests of pupils")

    def _write(
        self, account: Account, event: str, moment: datetime, *, subject: str = "", school: str
    ) -> None:
        self._audit.append(
            moment, account.email, account.role, event, subject=subject, school=school
        )

    def _open(self) -> Vault:
        with self._opening:
            if self._vault is None:
                self._vault = Vault.open(self._home, self._environ)
            return self._vault


def forget_pupils(home: Home, environ: Mapping[str, str], pupil_keys: Sequence[PupilKey]) -> int:
    """Take pupils whose term is over out of the vault; how many were there."""
    if not pupil_keys:
        return 0
    vault = Vault.open(home, environ)
    return sum(vault.forget(key) for key in pupil_keys)


@dataclass(frozen=True)
class RenewedVault:
    """The vault while pseudonyms are renewed; tells which becomes which, and no name."""

    vault: Vault

    @property
    def version(self) -> int:
        """The version of the pseudonyms that the vault gives now."""
        return self.vault.version

    def known(self) -> set[PupilKey]:
        """Every pseudonym that belongs to someone."""
        return self.vault.all_keys()

    def renewed(self) -> dict[PupilKey, PupilKey]:
        """Which pseudonym becomes which, once begun; empty before and after."""
        return self.vault.renewed()

    def begin(self, strays: Iterable[PupilKey]) -> dict[PupilKey, PupilKey]:
        """Make a new key and say which pseudonym becomes which."""
        return self.vault.begin_renewal(strays)

    def finish(self) -> None:
        """Destroy the old key and forget which pseudonym became which."""
        self.vault.finish_renewal()


def open_for_renewal(home: Home, environ: Mapping[str, str]) -> RenewedVault:
    """The vault, also while its pseudonyms are being renewed."""
    return RenewedVault(Vault.open(home, environ, while_renewing=True))
