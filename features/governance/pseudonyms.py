"""Pseudonyms: keyed hashes of random identities, one domain apart from the other."""

import base64
import hmac
import re
from enum import StrEnum

import polars as pl
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from features.governance.authentication import as_hex, codes_of
from features.vocabulary import PupilKey

FIRST_VERSION = 1
_LETTERS = 26
_PSEUDONYM = re.compile(r"p([1-9][0-9]*)[a-z2-7]{26}")
_HASH_BYTES = 12


class Domain(StrEnum):
    """Where a pseudonym is valid; without the secret, two domains cannot be joined."""

    RECORDS = "records"
    SOURCE_IDS = "source-ids"
    NUMBERS = "numbers"
    SEALS = "seals"


def domain_key(secret: bytes, domain: Domain) -> bytes:
    """The key of one domain, 32 bytes, derived from the vault's secret.

    >>> domain_key(bytes(32), Domain.RECORDS) == domain_key(bytes(32), Domain.NUMBERS)
    False
    """
    info = f"tijdig p1 {domain}".encode()
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=info).derive(secret)


def pupil_key(key: bytes, uid: bytes, version: int = FIRST_VERSION) -> PupilKey:
    """The pseudonym of the pupil with random identity `uid` under a domain's `key`.

    The `version` of the key stands in front, so that a renewed pseudonym can be told from an older.

    >>> pupil_key(bytes(32), bytes(16))
    'p1qu6hia4tpwfweokwtmme5n4zh7'
    """
    digest = hmac.digest(key, uid, "sha256")
    letters = base64.b32encode(digest[:20]).decode("ascii").lower()[:_LETTERS]
    return PupilKey(f"p{version}{letters}")


def is_pseudonym(text: str) -> bool:
    """Whether `text` has the form of a pseudonym of the domain of records.

    >>> is_pseudonym("p1qu6hia4tpwfweokwtmme5n4zh7"), is_pseudonym("absent_days_4w")
    (True, False)
    """
    return _PSEUDONYM.fullmatch(text) is not None


def keyed_hashes(key: bytes, texts: pl.Series) -> pl.Series:
    """A keyed hash of 96 bits per text, as 24 hexadecimal characters.

    Used for the ids that source systems give their records: these may hold a pupil's number, and
    a hash without a key could be turned back by trying every number. It is AES-CMAC (RFC 4493),
    for which a processor has instructions, over all texts side by side.

    >>> keyed_hashes(bytes(32), pl.Series(["90AB00/17"])).to_list()
    ['b5a59a6ca31b923f2443d2a7']
    """
    return as_hex(codes_of(key, texts)[:, :_HASH_BYTES])
