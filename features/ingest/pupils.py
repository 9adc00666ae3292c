"""Numbers and names of pupils to pseudonyms, through the vault; nothing beyond this sees them."""

import polars as pl

from features.governance.vault import Identity, Vault
from features.ingest.distinct import coded

_PAIR = ["school", "pupil_number"]
NAMES = ["given_name", "name_prefix", "family_name"]


class PupilKeys:
    """Pseudonyms of pupils by school and number, looked up in the vault once each."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault
        self._known = pl.DataFrame(
            schema={"school": pl.String, "pupil_number": pl.String, "pupil_key": pl.String}
        )

    def remember(self, placements: pl.DataFrame) -> set[tuple[str, str]]:
        """Put the pupils of `placements` in the vault; gives (school, number) of those renamed.

        Of several placements of one pupil, the latest with a name says the name. A delivery
        without names leaves known names as they are.
        """
        filled = placements.with_columns(pl.col(NAMES).fill_null("")).sort("enrolled_on")
        named = filled.filter(pl.concat_str(NAMES) != "")
        named = named.unique(_PAIR, keep="last", maintain_order=True)
        renamed: set[tuple[str, str]] = set()
        for [school], rows in named.group_by("school", maintain_order=True):
            people = [Identity(*row) for row in rows.select(*NAMES, "pupil_number").iter_rows()]
            renamed |= {(str(school), one) for one in self._vault.remember(str(school), people)}
        self._look_up(filled.select(_PAIR).unique(maintain_order=True), create=True)
        return renamed

    def added_to(self, rows: pl.DataFrame) -> pl.DataFrame:
        """`rows` with `pupil_key`; null where the number is blank or the vault does not know it.

        Where the number is an `Enum` the key is one too.
        """
        school, number = rows["school"], rows["pupil_number"]
        if not (isinstance(school.dtype, pl.Enum) and isinstance(number.dtype, pl.Enum)):
            wanted = rows.select(_PAIR).drop_nulls().unique(maintain_order=True)
            self._look_up(wanted.cast(pl.String))
            pair = rows.select(pl.col(_PAIR).cast(pl.String))
            found = pair.join(self._known, on=_PAIR, how="left", maintain_order="left")
            return rows.with_columns(found["pupil_key"])
        # One number per pair of school and pupil: found far faster than two texts.
        width = max(1, len(number.dtype.categories))
        code = school.to_physical().cast(pl.Int64) * width + number.to_physical()
        different = code.drop_nulls().unique()
        wanted = pl.DataFrame(
            {
                "school": school.dtype.categories.gather(different // width),
                "pupil_number": number.dtype.categories.gather(different % width),
            }
        )
        self._look_up(wanted)
        keys = wanted.join(self._known, on=_PAIR, how="left", maintain_order="left")["pupil_key"]
        places = pl.DataFrame({"code": different}).with_row_index("place")
        place = code.to_frame("code").join(places, on="code", how="left", maintain_order="left")
        return rows.with_columns(coded(keys, place["place"]).alias("pupil_key"))

    def _look_up(self, wanted: pl.DataFrame, *, create: bool = False) -> None:
        """Ask the vault for the pairs of school and number that were not asked before."""
        new = wanted.join(self._known, on=_PAIR, how="anti", maintain_order="left")
        found = [self._known]
        for part in new.partition_by("school", maintain_order=True):
            numbers = part["pupil_number"].to_list()
            keys = self._vault.keys_for(part["school"][0], numbers, create=create)
            found.append(part.with_columns(pl.Series("pupil_key", keys, pl.String)))
        self._known = pl.concat(found)
