"""Message authentication codes of many short texts at once: AES-CMAC, RFC 4493."""

import numpy as np
import polars as pl
import pyarrow as pa
from cryptography.hazmat.primitives.ciphers import Cipher, CipherContext, algorithms, modes
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]
BLOCK = 16
AT_ONCE = 100_000
_ROUND = 0x87  # what a doubling in GF(2^128) folds back
_HEX = np.array([f"{byte:02x}".encode() for byte in range(256)], "S2").view(np.uint16)


def codes_of(key: bytes, texts: pl.Series) -> Bytes:
    """The code of each text, [texts, 16] bytes; none may be null.

    Every text takes the same steps as in the standard; they are taken for all texts together, one
    block of 16 bytes after the other.
    """
    parts = [_codes(key, texts[at : at + AT_ONCE]) for at in range(0, len(texts), AT_ONCE)]
    return np.concatenate([np.empty((0, BLOCK), np.uint8), *parts])


def as_hex(values: Bytes) -> pl.Series:
    """Rows of bytes as text of two characters a byte.

    >>> as_hex(np.array([[0, 255], [16, 1]], np.uint8)).to_list()
    ['00ff', '1001']
    """
    rows, width = len(values), 2 * values.shape[1]
    ends = np.arange(0, width * rows + 1, width, dtype=np.int64)
    buffers = [None, pa.py_buffer(ends), pa.py_buffer(_HEX[values])]
    return pl.Series(pa.Array.from_buffers(pa.large_string(), rows, buffers))


def _codes(key: bytes, texts: pl.Series) -> Bytes:
    # The bare cipher, which the standard chains; each block here is of another text.
    aes = Cipher(algorithms.AES(key), modes.ECB()).encryptor()  # noqa: S305
    whole, broken = _subkeys(aes)
    blocks, lengths = _padded(texts)
    counts = np.maximum(1, -(-lengths // BLOCK))
    is_whole = (lengths == counts * BLOCK)[:, None]
    state = np.zeros((len(texts), BLOCK), np.uint8)
    for number in range(blocks.shape[1]):
        block = blocks[:, number] ^ state
        is_last = (counts == number + 1)[:, None]
        block ^= np.where(is_last, np.where(is_whole, whole, broken), np.uint8(0))
        after = np.frombuffer(aes.update(block.data.cast("B")), np.uint8).reshape(block.shape)
        state = np.where((counts > number)[:, None], after, state)
    return state


def _padded(texts: pl.Series) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Blocks [texts, most blocks, 16], a one bit after each text and zeros; lengths in bytes."""
    array = texts.to_arrow(compat_level=pl.CompatLevel.oldest())
    _, ends, content = array.buffers()
    offsets = np.frombuffer(ends, np.int64)[array.offset :][: len(texts) + 1]
    lengths = np.diff(offsets)
    width = BLOCK * int(max(1, -(-lengths.max(initial=1) // BLOCK)))
    padded = np.zeros((len(texts), width + 1), np.uint8)  # one more: a full text's bit falls off
    padded[np.arange(len(texts)), lengths] = 0x80
    inside = np.arange(width) < lengths[:, None]
    padded[:, :width][inside] = np.frombuffer(content, np.uint8)[offsets[0] : offsets[-1]]
    return padded[:, :width].reshape(len(texts), -1, BLOCK), lengths


def _subkeys(aes: CipherContext) -> tuple[Bytes, Bytes]:
    """What is folded into the last block: of a text that fills it, and of one that does not."""
    found, value = [], int.from_bytes(aes.update(bytes(BLOCK)), "big")
    for _ in range(2):
        value = (value << 1) ^ (_ROUND if value >> 127 else 0)
        value &= (1 << 128) - 1
        found.append(np.frombuffer(value.to_bytes(BLOCK, "big"), np.uint8))
    return found[0], found[1]
