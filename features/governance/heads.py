"""Signed heads of the audit chain: kept outside the database, they betray a removed tail.

Two kinds. The *witness* is one small file beside the keys: the newest head, signed anew after each
event. A *signed head* is made on request, kept in the database and given away (the mailbox of the
privacy officer, a printed page): against who holds database and keys, only that copy helps.
"""

import base64
import binascii
import json
import secrets
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from sqlalchemy import Engine, func, select

from features.errors import VerificationFailed
from features.governance.database import as_text, audit, canonical, signed_heads, writing
from features.governance.keys import create_key, read_key

SIGNING_KEY = "audit-signing.key"
WITNESS = "audit-head.json"


@dataclass(frozen=True)
class SignedHead:
    """The claim that row `sequence` of the chain had this hash at `moment` (ISO, UTC)."""

    sequence: int
    hash: str
    moment: str
    public_key: str
    signature: str

    def to_json(self) -> str:
        """One line, as it is given away."""
        return canonical(asdict(self))

    def is_genuine(self, public_key: str) -> bool:
        """Whether the holder of the key behind `public_key` signed exactly this."""
        try:
            verifier = Ed25519PublicKey.from_public_bytes(base64.b64decode(public_key))
            verifier.verify(base64.b64decode(self.signature), _claim(self))
        except (InvalidSignature, ValueError, binascii.Error):
            return False
        return self.public_key == public_key


class Signer:
    """The signing key of one installation; made with the first signature, never replaced."""

    def __init__(self, folder: Path, *, signed_before: bool) -> None:
        path = folder / SIGNING_KEY
        if signed_before or path.exists():
            secret = read_key(path, "It signed the audit chain; put it back from its backup.")
        else:
            secret = create_key(path)
        self._private = Ed25519PrivateKey.from_private_bytes(secret)
        self.public_key = base64.b64encode(self._private.public_key().public_bytes_raw()).decode()

    def sign(self, sequence: int, digest: str, moment: datetime) -> SignedHead:
        """A signed claim on one row of the chain."""
        claim = SignedHead(sequence, digest, as_text(moment), self.public_key, "")
        signature = base64.b64encode(self._private.sign(_claim(claim))).decode()
        return SignedHead(sequence, digest, claim.moment, self.public_key, signature)


class HeadBook:
    """The signed heads of one installation."""

    def __init__(self, engine: Engine, folder: Path) -> None:
        self._engine = engine
        self._folder = folder
        self._signer: Signer | None = None

    @property
    def signer(self) -> Signer:
        """The key, opened once."""
        if self._signer is None:
            before = bool(self.kept()) or (self._folder / WITNESS).exists()
            self._signer = Signer(self._folder, signed_before=before)
        return self._signer

    def sign(self, moment: datetime) -> SignedHead | None:
        """Sign the newest row and keep the claim in the database; None for an empty chain."""
        with writing(self._engine) as connection:
            newest = select(audit.c.sequence, audit.c.hash).order_by(audit.c.sequence.desc())
            row = connection.execute(newest.limit(1)).first()
            if row is None:
                return None
            head = self.signer.sign(row.sequence, row.hash, moment)
            connection.execute(signed_heads.insert().values(**asdict(head)))
        return head

    def kept(self) -> list[SignedHead]:
        """The claims in the database, oldest first."""
        with self._engine.connect() as connection:
            rows = connection.execute(select(signed_heads).order_by(signed_heads.c.id)).mappings()
            return [SignedHead(**{k: v for k, v in row.items() if k != "id"}) for row in rows]

    def witness(self, sequence: int, digest: str, moment: datetime, previous: str = "") -> None:
        """Let the witness file tell of this row, unless what it tells now is no longer true.

        A witness that contradicts the chain is evidence, and is left as it is. `previous` is the
        hash that the row before this one had when this one was added (empty: look it up).
        """
        path = self._folder / WITNESS
        if path.exists():
            told = read_head(path.read_text(encoding="utf-8"), str(path))
            follows = told.sequence == sequence - 1 and told.hash == previous
            if not follows and (
                told.sequence >= sequence or self._rows_named([told]).against(told)
            ):
                return
        draft = path.with_name(f"{WITNESS}.{secrets.token_hex(4)}")
        draft.write_text(self.signer.sign(sequence, digest, moment).to_json(), encoding="utf-8")
        draft.replace(path)

    def problems(self, kept_elsewhere: Iterable[SignedHead] = ()) -> tuple[str, ...]:
        """What the signed heads say against the chain: altered, cut short, forged."""
        heads = [*self.kept(), *kept_elsewhere, *self._told()]
        if not heads:
            return ()
        found = list(self._missing_witness())
        rows = self._rows_named(heads)
        for head in dict.fromkeys(heads):
            if not head.is_genuine(self.signer.public_key):
                found.append(f"signed head of row {head.sequence}: the signature is not ours")
            elif problem := rows.against(head):
                found.append(problem)
        return tuple(dict.fromkeys(found))

    def _missing_witness(self) -> Iterator[str]:
        if not (self._folder / WITNESS).exists():
            yield f"{self._folder / WITNESS}: the file with the newest head was removed"

    def _told(self) -> list[SignedHead]:
        path = self._folder / WITNESS
        return [read_head(path.read_text(encoding="utf-8"), str(path))] if path.exists() else []

    def _rows_named(self, heads: Sequence[SignedHead]) -> "_Rows":
        wanted = {head.sequence for head in heads}
        named = select(audit.c.sequence, audit.c.hash).where(audit.c.sequence.in_(wanted))
        with self._engine.connect() as connection:
            last = connection.scalar(select(func.max(audit.c.sequence))) or 0
            return _Rows(last, {row.sequence: row.hash for row in connection.execute(named)})


@dataclass(frozen=True)
class _Rows:
    """The rows of the chain that heads speak of, as far as they are there."""

    last: int
    hashes: Mapping[int, str]

    def against(self, head: SignedHead) -> str:
        """What the chain says against `head`; nothing when it agrees."""
        if self.hashes.get(head.sequence) == head.hash:
            return ""
        day = head.moment[:10]
        if head.sequence in self.hashes:
            return f"audit row {head.sequence}: is not the row that was signed on {day}"
        return (
            f"the chain ends at row {self.last}; row {head.sequence} was there on {day} and was "
            "signed"
        )


def read_head(line: str, where: str) -> SignedHead:
    """A signed head as `to_json` wrote it; `where` is for the error.

    >>> read_head("{}", "head.json")
    Traceback (most recent call last):
    ...
    features.errors.VerificationFailed: head.json is not a signed head of the audit chain.
    """
    try:
        values: dict[str, Any] = json.loads(line)
        return SignedHead(**values)
    except (ValueError, TypeError) as problem:
        raise VerificationFailed(f"{where} is not a signed head of the audit chain.") from problem


def _claim(head: SignedHead) -> bytes:
    return canonical({"sequence": head.sequence, "hash": head.hash, "moment": head.moment}).encode()
