"""Bytes to text: UTF-8, UTF-16 and cp1252 as Dutch systems write them; otherwise refused."""

import codecs
from collections.abc import Sequence

import charset_normalizer

from features.errors import DeliveryRefused
from features.ingest.opening import RawFile

_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_SAMPLE = 200_000
_BLOCK = 1 << 22


def decode(name: str, content: bytes) -> str:
    r"""The text of file `name`, without byte-order mark and with plain line ends.

    >>> decode("a.csv", "café".encode("cp1252")), decode("a.csv", "café".encode("utf-16"))
    ('café', 'café')
    >>> decode("a.csv", b"\x00\xff\x81\x00\xfe" * 9)
    Traceback (most recent call last):
    ...
    features.errors.DeliveryRefused: a.csv: neither UTF-8, UTF-16 nor Windows-1252 text. ...
    """
    for bom, encoding in _BOMS:
        if content.startswith(bom):
            return _strictly(name, content[len(bom) :], encoding)
    if b"\0" in content:  # no text in an 8-bit encoding has zero bytes
        return _strictly(name, content, _utf16_without_bom(name, content))
    text = _attempt(content, "utf-8")
    return _strictly(name, content, "cp1252") if text is None else text


def encoding_of(file: RawFile) -> tuple[str, int]:
    """The encoding of a large text file and the length of its byte-order mark.

    Reads the file once from beginning to end, in blocks; refuses what `decode` refuses.
    """
    with file.open() as stream:
        head = stream.read(_SAMPLE)
    for bom, encoding in _BOMS:
        if head.startswith(bom):
            return _proven(file, (encoding,)), len(bom)
    if b"\0" in head:
        return _proven(file, (_utf16_without_bom(file.name, head),)), 0
    return _proven(file, ("utf-8", "cp1252")), 0


def _proven(file: RawFile, encodings: Sequence[str]) -> str:
    for encoding in encodings:
        if _fits(file, encoding):
            return encoding
    raise DeliveryRefused(_message(file.name))


def _fits(file: RawFile, encoding: str) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        with file.open() as stream:
            while block := stream.read(_BLOCK):
                if b"\0" in block and "16" not in encoding:
                    return False
                decoder.decode(block)
            decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _utf16_without_bom(name: str, content: bytes) -> str:
    sample = content[: _SAMPLE - _SAMPLE % 2]
    guess = charset_normalizer.from_bytes(sample, cp_isolation=["utf_16_le", "utf_16_be"]).best()
    if guess is None:
        raise DeliveryRefused(_message(name))
    return guess.encoding


def _strictly(name: str, content: bytes, encoding: str) -> str:
    text = _attempt(content, encoding)
    if text is None:
        raise DeliveryRefused(_message(name))
    return text


def _attempt(content: bytes, encoding: str) -> str | None:
    # None rather than the error: that one carries the bytes of the file, a pupil's values,
    # and would hang on whatever is raised next.
    try:
        return _plain(content.decode(encoding))
    except UnicodeDecodeError:
        return None


def _plain(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _message(name: str) -> str:
    return (
        f"{name}: neither UTF-8, UTF-16 nor Windows-1252 text. "
        "Save it again as 'CSV UTF-8' or as XLSX."
    )
