"""Which pupils one retrieval was about, sealed: only "was this pupil in it?" can be asked."""

import hashlib
import secrets
from bisect import bisect_left
from collections.abc import Iterable, Mapping
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from features.errors import VaultError
from features.governance.keys import LEDGER_KEY, open_ledger_key

_HASH_BYTES = 8
_NONCE_BYTES = 12


class PupilSets:
    """Seals sets of pupils, by their names in the log, with the ledger's own key.

    Inside the seal stand keyed hashes of those names, not pseudonyms: once a pupil's name in the
    log is forgotten, nothing leads from the set back to a person.
    """

    def __init__(self, folder: Path, *, sealed_before: bool) -> None:
        key = open_ledger_key(folder, used_before=sealed_before)
        self._hash_key = hashlib.sha256(b"hash" + key).digest()
        self._cipher = AESGCM(hashlib.sha256(b"seal" + key).digest())

    def seal(self, names: Iterable[str], row: int) -> bytes:
        """The set, sealed for ledger row `row` and for no other."""
        hashes = sorted({self._hash(name) for name in names})
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, b"".join(hashes), _context(row))

    def holds(self, sealed: bytes, row: int, name: str) -> bool:
        """Whether the pupil is in the set of ledger row `row`."""
        joined, wanted = self._opened(sealed, row), self._hash(name)
        places = range(0, len(joined), _HASH_BYTES)
        found = bisect_left(places, wanted, key=lambda at: joined[at : at + _HASH_BYTES])
        return joined[found * _HASH_BYTES :][:_HASH_BYTES] == wanted

    def count(self, sealed: bytes, row: int) -> int:
        """How many pupils the set has."""
        return len(self._opened(sealed, row)) // _HASH_BYTES

    def count_together(self, sets: Mapping[int, bytes]) -> int:
        """How many different pupils sets have together; sets by the number of their ledger row."""
        found: set[bytes] = set()
        for row, sealed in sets.items():
            joined = self._opened(sealed, row)
            found.update(joined[at : at + _HASH_BYTES] for at in range(0, len(joined), _HASH_BYTES))
        return len(found)

    def _hash(self, name: str) -> bytes:
        text = name.encode()
        return hashlib.blake2b(text, digest_size=_HASH_BYTES, key=self._hash_key).digest()

    def _opened(self, sealed: bytes, row: int) -> bytes:
        nonce, body = sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:]
        try:
            return self._cipher.decrypt(nonce, body, _context(row))
        except (InvalidTag, ValueError) as problem:  # ValueError: too short to be one
            raise VaultError(
                f"ledger row {row}: its set of pupils does not open; the set was altered or "
                f"{LEDGER_KEY} is not the key of this ledger. Put both back from one backup."
            ) from problem


def _context(row: int) -> bytes:
    return f"ledger {row}".encode()
