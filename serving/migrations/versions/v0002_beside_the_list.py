"""Rows beside the list, what a week holds, outcomes, care entries, the right to export."""

import sqlalchemy as sa
from alembic import op

from serving.tables import Moment

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the tables, and give every decision its own pupil and week."""
    op.add_column(
        "accounts",
        sa.Column("may_export", sa.Boolean(), nullable=False, server_default=sa.false()),
    )
    _side_rows()
    _weeks()
    _decisions()
    op.create_table(
        "outcomes",
        sa.Column("outcome_id", sa.String(32), primary_key=True),
        sa.Column(
            "decision_id", sa.String(32), sa.ForeignKey("decisions.decision_id"), nullable=False
        ),
        sa.Column(
            "account_id", sa.String(32), sa.ForeignKey("accounts.account_id"), nullable=False
        ),
        sa.Column("recorded_at", Moment(), nullable=False),
        sa.Column("kind", sa.String(30), nullable=False),
    )
    op.create_index("ix_outcomes_decision_id", "outcomes", ["decision_id"])
    op.create_table(
        "care_entries",
        sa.Column("entry_id", sa.String(32), primary_key=True),
        sa.Column("school", sa.String(6), nullable=False),
        sa.Column("pupil_key", sa.String(64), nullable=False),
        sa.Column(
            "account_id", sa.String(32), sa.ForeignKey("accounts.account_id"), nullable=False
        ),
        sa.Column("entered_at", Moment(), nullable=False),
        sa.Column("in_charge", sa.String(100), nullable=False),
        sa.Column("offer", sa.String(30), nullable=False),
    )
    op.create_index("ix_care_entries_school", "care_entries", ["school"])
    op.create_index("ix_care_entries_pupil_key", "care_entries", ["pupil_key"])


def _side_rows() -> None:
    op.create_table(
        "side_rows",
        sa.Column("row_id", sa.String(32), primary_key=True),
        sa.Column("school", sa.String(6), nullable=False),
        sa.Column("as_of", sa.Date(), nullable=False),
        sa.Column("pupil_key", sa.String(64), nullable=False),
        sa.Column("place", sa.String(20), nullable=False),
        sa.Column("group_name", sa.String(50), nullable=False),
        sa.Column("detail", sa.JSON(), nullable=False),
        sa.Column("account_id", sa.String(32), sa.ForeignKey("accounts.account_id"), nullable=True),
        sa.Column("placed_at", Moment(), nullable=False),
        sa.UniqueConstraint("school", "as_of", "pupil_key", "place", name="one_side_row_per_place"),
    )
    op.create_index("ix_side_rows_pupil_key", "side_rows", ["pupil_key"])


def _weeks() -> None:
    op.create_table(
        "week_facts",
        sa.Column("school", sa.String(6), primary_key=True),
        sa.Column("as_of", sa.Date(), primary_key=True),
        sa.Column("content", sa.JSON(), nullable=False),
    )
    op.create_table(
        "week_gone",
        sa.Column("school", sa.String(6), primary_key=True),
        sa.Column("as_of", sa.Date(), primary_key=True),
        sa.Column("pupil_key", sa.String(64), primary_key=True),
        sa.Column("group_name", sa.String(50), nullable=False),
        sa.Column("because", sa.String(20), nullable=False),
    )
    op.create_table(
        "enrolled",
        sa.Column("school", sa.String(6), primary_key=True),
        sa.Column("pupil_key", sa.String(64), primary_key=True),
        sa.Column("group_name", sa.String(50), nullable=False),
    )
    op.create_table(
        "month_counts",
        sa.Column("school", sa.String(6), primary_key=True),
        sa.Column("month", sa.Date(), primary_key=True),
        sa.Column("until", sa.Date(), nullable=False),
        *(
            sa.Column(name, sa.Integer(), nullable=False)
            for name in (
                "pupils",
                "over_four_weeks",
                "over_three_months",
                "began",
                "returned",
                "left",
            )
        ),
    )


def _decisions() -> None:
    op.rename_table("decisions", "decisions_0001")
    op.drop_index("ix_decisions_row_id", "decisions_0001")
    op.create_table(
        "decisions",
        sa.Column("decision_id", sa.String(32), primary_key=True),
        sa.Column("row_id", sa.String(32), nullable=False),
        sa.Column("school", sa.String(6), nullable=False),
        sa.Column("pupil_key", sa.String(64), nullable=False),
        sa.Column("as_of", sa.Date(), nullable=False),
        sa.Column(
            "account_id", sa.String(32), sa.ForeignKey("accounts.account_id"), nullable=False
        ),
        sa.Column("decided_at", Moment(), nullable=False),
        sa.Column("kind", sa.String(30), nullable=False),
        sa.Column("no_action_because", sa.String(30), nullable=False),
        sa.Column("owner", sa.String(100), nullable=False),
        sa.Column("look_back_on", sa.Date(), nullable=True),
        sa.Column("note", sa.String(280), nullable=False),
    )
    for name in ("row_id", "school", "pupil_key"):
        op.create_index(f"ix_decisions_{name}", "decisions", [name])
    op.execute(
        "INSERT INTO decisions (decision_id, row_id, school, pupil_key, as_of, account_id, "
        "decided_at, kind, no_action_because, owner, look_back_on, note) "
        "SELECT old.decision_id, old.row_id, lists.school, list_rows.pupil_key, lists.as_of, "
        "old.account_id, old.decided_at, old.kind, old.no_action_because, old.owner, "
        "old.look_back_on, old.note FROM decisions_0001 AS old "
        "JOIN list_rows ON list_rows.row_id = old.row_id "
        "JOIN lists ON lists.list_id = list_rows.list_id"
    )
    op.drop_table("decisions_0001")


def downgrade() -> None:
    """Decisions about rows beside the list have no place in the older schema."""
    raise NotImplementedError("restore the app database from the backup made before the upgrade")
