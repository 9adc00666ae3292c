"""Pupils who change school within the region: one history under one key, if two people sign.

A proposal is made inside the vault, by name and month of birth; what leaves it are pseudonyms,
schools and dates. Without a signed match a pupil starts anew at the next school.
"""

import dataclasses
import json
import os
import unicodedata
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa

from features.errors import MatchRefused
from features.governance import open_ledger
from features.governance.objections import objected
from features.governance.vault import Identity, Vault
from features.ingest.intake import END_OF_TIME, record_keys
from features.ingest.versions import with_fingerprint
from features.records import DeliveryRows, LogTable, RecordLog, schema_of
from features.records.leavers import leavers
from features.settings import Home
from features.vocabulary import KnownAtBasis, PupilKey

EARLIEST = timedelta(days=1)
LATEST = timedelta(days=180)
"""How long after leaving a pupil may begin elsewhere. Not before: one key cannot be at two schools
on one day."""
SIGNERS = 2

BY_PUPIL = (LogTable.PLACEMENTS, LogTable.TIMETABLE, LogTable.PRIOR_ABSENCE)
"""Tables of which the record itself is made of the pupil: such a record ends, another begins."""


@dataclass(frozen=True)
class Match:
    """Two pupils who are thought to be one: `kept_key` left `from_school`, `key` came after."""

    kept_key: str
    from_school: str
    left_on: date
    key: str
    to_school: str
    enrolled_on: date


@dataclass(frozen=True)
class Signature:
    """Who agreed, and when; `seal` binds both to the matches, and only the vault can make it."""

    name: str
    signed_at: str
    seal: str


@dataclass(frozen=True)
class MatchFile:
    """Matches and who signed them; `unclear` counts pupils with more than one candidate."""

    matches: tuple[Match, ...]
    signatures: tuple[Signature, ...] = ()
    unclear: int = 0

    def text(self) -> str:
        """What is signed: the matches, always written in the same way."""
        return json.dumps([dataclasses.asdict(one) for one in self.matches], default=str)

    def write(self, path: Path) -> None:
        """Write to `path`, for its owner only."""
        content = json.dumps(dataclasses.asdict(self), default=str, indent=1)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(content)


def read_match_file(path: Path) -> MatchFile:
    """The match file at `path`; refuses what is none."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        matches = tuple(_match(one) for one in content["matches"])
        signatures = tuple(Signature(**one) for one in content["signatures"])
        return MatchFile(matches, signatures, int(content["unclear"]))
    except (OSError, ValueError, KeyError, TypeError) as problem:
        raise MatchRefused(
            f"{path}: is no match file ({type(problem).__name__}). "
            "Make one with `tijdig match propose`."
        ) from None


def _match(one: Mapping[str, Any]) -> Match:
    dates = {name: date.fromisoformat(one[name]) for name in ("left_on", "enrolled_on")}
    return Match(**{**one, **dates})


def propose_matches(home: Home, as_of: datetime, environ: Mapping[str, str]) -> MatchFile:
    """Who seems to have moved, as known before `as_of`; nothing is changed.

    Only where name and month of birth are the same, dates follow each other, nobody else at either
    side fits as well, and nobody objected.
    """
    log = RecordLog(home.records)
    vault = Vault.open(home, environ)
    gone = leavers(log, as_of).filter(pl.col("left_to") != "exemption")
    came = _arrivals(log, as_of)
    pairs = gone.join(came, on="born_on", how="inner").filter(
        pl.col("school") != pl.col("to_school"),
        pl.col("pupil_key") != pl.col("key"),
        (pl.col("enrolled_on") - pl.col("left_on")).is_between(EARLIEST, LATEST),
    )
    names = _names(vault, {*pairs["school"].to_list(), *pairs["to_school"].to_list()})
    found = [
        Match(*row)
        for row in pairs.select(
            "pupil_key", "school", "left_on", "key", "to_school", "enrolled_on"
        ).iter_rows()
        if _same_name(names.get(row[0]), names.get(row[3]))
    ]
    left = Counter(one.kept_key for one in found)
    right = Counter(one.key for one in found)
    objecting = _objecting(home, as_of)
    found = [one for one in found if not {one.key, one.kept_key} & objecting]
    clear = [one for one in found if left[one.kept_key] == 1 and right[one.key] == 1]
    unclear = len({one.key for one in found} - {one.key for one in clear})
    return MatchFile(tuple(sorted(clear, key=lambda one: (one.to_school, one.key))), (), unclear)


def _arrivals(log: RecordLog, as_of: datetime) -> pl.DataFrame:
    placements = pl.DataFrame(log.read_as_of(LogTable.PLACEMENTS, as_of))
    first = placements.sort("enrolled_on", "record_key").unique(
        ["pupil_key", "school"], keep="first", maintain_order=True
    )
    return first.filter(pl.col("born_on").is_not_null()).select(
        "born_on", "enrolled_on", key="pupil_key", to_school="school"
    )


def _names(vault: Vault, schools: set[str]) -> dict[str, tuple[str, str]]:
    names: dict[str, tuple[str, str]] = {}
    for school in sorted(schools):
        names |= {key: _plain(identity) for key, identity in vault.pupils_of(school).items()}
    return names


def _plain(identity: Identity) -> tuple[str, str]:
    return _letters(identity.given_name), _letters(identity.family_name)


def _letters(text: str) -> str:
    apart = unicodedata.normalize("NFKD", text.casefold())
    return "".join(letter for letter in apart if letter.isalpha())


def _same_name(one: tuple[str, str] | None, other: tuple[str, str] | None) -> bool:
    return one is not None and one == other and all(one)


def sign(
    home: Home, file: MatchFile, name: str, moment: datetime, environ: Mapping[str, str]
) -> MatchFile:
    """`file` with the signature of `name`; the same person cannot sign twice."""
    vault = Vault.open(home, environ)
    if not name.strip() or any(_letters(one.name) == _letters(name) for one in file.signatures):
        raise MatchRefused("this person has signed already; a second person must sign as well")
    signed_at = moment.astimezone(UTC).isoformat()
    seal = vault.seal(_signed_text(file, name.strip(), signed_at))
    return dataclasses.replace(
        file, signatures=(*file.signatures, Signature(name.strip(), signed_at, seal))
    )


def _signed_text(file: MatchFile, name: str, signed_at: str) -> str:
    return "\x1f".join(("match", file.text(), name, signed_at))


def apply_matches(
    home: Home, file: MatchFile, received_at: datetime, environ: Mapping[str, str]
) -> int:
    """Let each matched pupil go on under the kept key, from `received_at` on; rows rewritten.

    The records of the new school get a new version under that key, so what was known before stays
    as it was. Running it again completes a run that was killed, and changes nothing else.
    """
    vault = Vault.open(home, environ)
    _check_signatures(file, vault)
    _check_objections(file, home, received_at)
    log = RecordLog(home.records)
    with log.writing():
        _check_pupils(file, log)
        vault.link([(PupilKey(one.key), PupilKey(one.kept_key)) for one in file.matches])
        tables = dict(_rewritten(file, log, vault, received_at))
        rows = sum(len(table) for table in tables.values())
        if rows:
            digest = vault.seal(file.text())
            log.append(DeliveryRows(received_at.astimezone(UTC), digest, tables))
    return rows


def _check_signatures(file: MatchFile, vault: Vault) -> None:
    good = {
        _letters(one.name)
        for one in file.signatures
        if vault.seal(_signed_text(file, one.name, one.signed_at)) == one.seal
    }
    if len(good) < len(file.signatures):
        raise MatchRefused(
            "the matches were altered after they were signed, or signed for another vault. "
            "Make a new file with `tijdig match propose`."
        )
    if len(good) < SIGNERS:
        raise MatchRefused(f"signed by {len(good)}; {SIGNERS} different people must sign")


def _check_objections(file: MatchFile, home: Home, moment: datetime) -> None:
    # An objection stands under one pseudonym: under another it would be lost.
    objecting = _objecting(home, moment)
    count = sum(1 for one in file.matches if {one.key, one.kept_key} & objecting)
    if count:
        raise MatchRefused(
            f"{count} of {len(file.matches)} matches are about a pupil for whom there is an "
            "objection; nothing was changed. Make a new file with `tijdig match propose`."
        )


def _objecting(home: Home, before: datetime) -> frozenset[PupilKey]:
    ledger = open_ledger(home)
    try:
        return objected(ledger, before)
    finally:
        ledger.dispose()


def _check_pupils(file: MatchFile, log: RecordLog) -> None:
    keys = pl.DataFrame(log.read_versions(LogTable.PLACEMENTS)).select("school", "pupil_key")
    known = set(keys.iter_rows())
    strange = [
        one
        for one in file.matches
        if {(one.from_school, one.kept_key), (one.to_school, one.key)} - known
        or one.key == one.kept_key
    ]
    if strange:
        raise MatchRefused(
            f"{len(strange)} of {len(file.matches)} matches name a pupil that the log does not "
            "have at that school; nothing was changed. Make a new file with `tijdig match propose`."
        )


def _rewritten(
    file: MatchFile, log: RecordLog, vault: Vault, received_at: datetime
) -> Iterator[tuple[LogTable, pa.Table]]:
    """New versions for all records under a key that is not kept."""
    kept = {one.key: one.kept_key for one in file.matches}
    for table in (one for one in LogTable if "pupil_key" in schema_of(one).names):
        rows = pl.DataFrame(log.read_as_of(table, END_OF_TIME, pupil_keys=sorted(kept)))
        if rows.is_empty():
            continue
        moved = rows.with_columns(pl.col("pupil_key").replace(kept))
        parts = [moved]
        if table in BY_PUPIL:
            moved = moved.with_columns(record_keys(vault, table, moved))
            parts = [moved, rows.with_columns(withdrawn=pl.lit(True))]
        versions = with_fingerprint(pl.concat(parts), table).with_columns(
            known_at=pl.lit(received_at.astimezone(UTC)).cast(pl.Datetime("us", "UTC")),
            known_at_basis=pl.lit(KnownAtBasis.DELIVERY),
        )
        names = [name for name in schema_of(table).names if name not in ("delivery", "sequence")]
        yield table, versions.select(names).to_arrow(compat_level=pl.CompatLevel.oldest())
