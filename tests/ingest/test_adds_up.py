"""Whatever happens to its rows, every row of a delivery is accounted for exactly once."""

import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from features.records import LogTable
from tests.ingest.office import Office, new_office

JUNK = st.sampled_from(
    [
        "",
        " ",
        "?",
        "2062-01-01",
        "31-02-2026",
        "Totaal",
        "-1",
        "1e9",
        "90AB00",
        "yes",
        "\u00e9",
        "NaN",
    ]
)
DAMAGE = st.lists(
    st.tuples(
        st.sampled_from(["absence.csv", "pupils.csv", "support.csv", "codes.csv", "schools.csv"]),
        st.sampled_from(
            ["cell", "drop a cell", "add a cell", "double", "blank line", "remove", "ruin"]
        ),
        st.integers(0, 10),
        st.integers(0, 10),
        JUNK,
    ),
    max_size=8,
)


def damage(office: Office, name: str, how: str, row: int, column: int, junk: str) -> None:
    head, *rows = office.files[name].decode().rstrip("\n").split("\n")
    if not rows:
        return
    row %= len(rows)
    cells = rows[row].split(",")
    column %= len(cells)
    match how:
        case "cell":
            cells[column] = junk
        case "ruin":
            cells = [junk] * len(cells)
        case "drop a cell":
            del cells[column]
        case "add a cell":
            cells.insert(column, junk)
        case "double":
            rows.append(rows[row])
        case "blank line":
            rows.insert(row, "")
        case "remove":
            cells = []
    rows[row] = (
        ",".join(cells) if how in ("cell", "ruin", "drop a cell", "add a cell") else rows[row]
    )
    if how == "remove":
        del rows[row]
    office.files[name] = ("\n".join([head, *rows]) + "\n").encode()


def rows_of(content: bytes) -> int:
    """Rows with anything in them, counted the slow way; a line of totals at the end is no row."""
    lines = [line for line in content.decode().split("\n")[1:] if line.strip(" ,")]
    return len(lines)


@settings(max_examples=(settings.default or settings()).max_examples // 2)
@given(DAMAGE)
def test_the_report_adds_up_under_any_damage_to_rows(
    damages: list[tuple[str, str, int, int, str]],
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        office = new_office(Path(folder))
        for one in damages:
            damage(office, *one)
        report = office.deliver()  # asserts that every file adds up
        for count in report.files:
            expected = rows_of(office.files[count.file])
            totals = office.files[count.file].count(b"Totaal")
            assert expected - totals <= count.rows_read <= expected
            assert len({place.row for place in report.places if place.file == count.file}) == (
                count.quarantined
            )
        added = sum(count.accepted + count.changed for count in report.files)
        # A placement that has ended is two versions; nothing else adds or hides one.
        stored = sum(len(office.versions(table)) for table in LogTable)
        ended = sum(1 for row in office.versions(LogTable.PLACEMENTS) if row["left_on"])
        assert stored == added + ended
        again = office.deliver()
        assert sum(count.accepted for count in again.files) == 0
