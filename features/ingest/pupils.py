"""Numbers and names of pupils to pseudonyms, through the vault; nothing beyond this sees them."""

import polars as pl

from features.governance.vault import Identity, Vault

NAMES = ["given_name", "name_prefix", "family_name"]


def remember_names(vault: Vault, placements: pl.DataFrame) -> set[tuple[str, str]]:
    """Put the pupils of `placements` in the vault; gives (school, number) of those renamed.

    Of several placements of one pupil, the latest with a name says the name. A delivery without
    names leaves known names as they are.
    """
    filled = placements.with_columns(pl.col(NAMES).fill_null(""))
    latest = filled.sort("enrolled_on").unique(
        ["school", "pupil_number"], keep="last", maintain_order=True
    )
    named = filled.filter(pl.concat_str(NAMES) != "").sort("enrolled_on")
    named = named.unique(["school", "pupil_number"], keep="last", maintain_order=True)
    renamed: set[tuple[str, str]] = set()
    for [school], rows in named.group_by("school", maintain_order=True):
        people = [Identity(*row) for row in rows.select(*NAMES, "pupil_number").iter_rows()]
        renamed |= {(str(school), number) for number in vault.remember(str(school), people)}
    for [school], rows in latest.group_by("school", maintain_order=True):
        vault.keys_for(str(school), rows["pupil_number"].to_list(), create=True)
    return renamed


class PupilKeys:
    """Pseudonyms of pupils by school and number, looked up in the vault once each."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault
        self._known = pl.DataFrame(
            schema={"school": pl.String, "pupil_number": pl.String, "pupil_key": pl.String}
        )

    def added_to(self, rows: pl.DataFrame) -> pl.DataFrame:
        """`rows` with `pupil_key`; null where the number is blank or the vault does not know it."""
        pair = ["school", "pupil_number"]
        wanted = rows.select(pair).drop_nulls().unique(maintain_order=True)
        new = wanted.join(self._known, on=pair, how="anti", maintain_order="left")
        found = [self._known]
        for part in new.partition_by("school", maintain_order=True):
            keys = self._vault.keys_for(part["school"][0], part["pupil_number"].to_list())
            found.append(part.with_columns(pl.Series("pupil_key", keys, pl.String)))
        self._known = pl.concat(found)
        return rows.join(self._known, on=pair, how="left", maintain_order="left")
