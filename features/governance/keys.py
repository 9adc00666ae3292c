"""Key files: made once, readable by their owner only, never replaced by another."""

import base64
import binascii
import os
import secrets
from pathlib import Path

from features.errors import VaultError

KEY_BYTES = 32
LEDGER_KEY = "ledger.key"


def read_key(path: Path, lost: str) -> bytes:
    """The key in the file at `path`; `lost` is the next step when the file is gone.

    Refuses a file that others on this machine can read, and one that holds no key.
    """
    if not path.exists():
        raise VaultError(f"{path} is not there. {lost} No new key was made.")
    if path.stat().st_mode & 0o077:
        raise VaultError(
            f"{path}: others on this machine can read this key. "
            "Run: chmod 600 on it, and think whether someone did."
        )
    return decoded_key(path.read_text(encoding="ascii", errors="replace"), str(path))


def create_key(path: Path, key: bytes = b"") -> bytes:
    """Write a random key (or `key`) to a new file at `path`, whole or not at all."""
    key = key or secrets.token_bytes(KEY_BYTES)
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    # Complete before it gets its name: a run killed here leaves no half key behind.
    draft = path.with_name(f"{path.name}.{secrets.token_hex(4)}.new")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(base64.b64encode(key).decode("ascii") + "\n")
        file.flush()
        os.fsync(descriptor)
    try:
        os.link(draft, path)  # unlike a rename, this never replaces a key
    except FileExistsError:
        return read_key(path, "")
    finally:
        draft.unlink()
    return key


def open_ledger_key(folder: Path, *, used_before: bool) -> bytes:
    """The key of the ledger's sets and names; made with their first use, never replaced."""
    path = folder / LEDGER_KEY
    if used_before or path.exists():
        lost = "The ledger's sets of pupils need it; put it back from its backup."
        return read_key(path, lost)
    return create_key(path)


def decoded_key(text: str, where: str) -> bytes:
    """The 32 bytes that stand in `text` as base64.

    >>> decoded_key("too short", "KEY")
    Traceback (most recent call last):
    ...
    features.errors.VaultError: KEY is not a key of Tijdig: expected 32 bytes in base64.
    """
    try:
        key = base64.b64decode(text.strip(), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != KEY_BYTES:
        raise VaultError(f"{where} is not a key of Tijdig: expected {KEY_BYTES} bytes in base64.")
    return key
