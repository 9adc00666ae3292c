"""Accounts, sessions, lists and decisions."""

import sqlalchemy as sa
from alembic import op

import serving.tables

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the first tables."""
    op.create_table(
        "accounts",
        sa.Column("account_id", sa.String(length=32), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("role", sa.String(length=30), nullable=False),
        sa.Column("password", sa.String(length=200), nullable=True),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("created_at", serving.tables.Moment(), nullable=False),
        sa.PrimaryKeyConstraint("account_id"),
        sa.UniqueConstraint("email"),
    )
    op.create_table(
        "lists",
        sa.Column("list_id", sa.String(length=32), nullable=False),
        sa.Column("school", sa.String(length=6), nullable=False),
        sa.Column("as_of", sa.Date(), nullable=False),
        sa.Column("published_at", serving.tables.Moment(), nullable=False),
        sa.Column("model_version", sa.String(length=100), nullable=False),
        sa.Column("bundle_hash", sa.String(length=64), nullable=False),
        sa.Column("feature_service", sa.String(length=100), nullable=False),
        sa.Column("data_until", sa.Date(), nullable=False),
        sa.Column("log_head", sa.Integer(), nullable=False),
        sa.Column("capacity", sa.Integer(), nullable=False),
        sa.Column("frequencies", sa.JSON(), nullable=False),
        sa.Column("content_hash", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("list_id"),
        sa.UniqueConstraint("school", "as_of", name="one_list_per_school_and_week"),
    )
    op.create_table(
        "sign_in_failures",
        sa.Column("failure_id", sa.Integer(), nullable=False),
        sa.Column("email_hash", sa.String(length=64), nullable=False),
        sa.Column("address", sa.String(length=64), nullable=False),
        sa.Column("failed_at", serving.tables.Moment(), nullable=False),
        sa.PrimaryKeyConstraint("failure_id"),
    )
    op.create_index("ix_sign_in_failures_address", "sign_in_failures", ["address"], unique=False)
    op.create_index(
        "ix_sign_in_failures_email_hash", "sign_in_failures", ["email_hash"], unique=False
    )

    op.create_table(
        "account_schools",
        sa.Column("account_id", sa.String(length=32), nullable=False),
        sa.Column("school", sa.String(length=6), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["accounts.account_id"],
        ),
        sa.PrimaryKeyConstraint("account_id", "school"),
    )
    op.create_table(
        "list_rows",
        sa.Column("row_id", sa.String(length=32), nullable=False),
        sa.Column("list_id", sa.String(length=32), nullable=False),
        sa.Column("pupil_key", sa.String(length=64), nullable=False),
        sa.Column("block", sa.String(length=20), nullable=False),
        sa.Column("newness", sa.String(length=10), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("group_name", sa.String(length=50), nullable=False),
        sa.Column("explanation", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["list_id"],
            ["lists.list_id"],
        ),
        sa.PrimaryKeyConstraint("row_id"),
        sa.UniqueConstraint("list_id", "pupil_key", name="one_row_per_pupil"),
    )
    op.create_index("ix_list_rows_pupil_key", "list_rows", ["pupil_key"], unique=False)

    op.create_table(
        "sessions",
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("account_id", sa.String(length=32), nullable=False),
        sa.Column("started_at", serving.tables.Moment(), nullable=False),
        sa.Column("seen_at", serving.tables.Moment(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["accounts.account_id"],
        ),
        sa.PrimaryKeyConstraint("token_hash"),
    )
    op.create_index("ix_sessions_account_id", "sessions", ["account_id"], unique=False)

    op.create_table(
        "setup_links",
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("account_id", sa.String(length=32), nullable=False),
        sa.Column("expires_at", serving.tables.Moment(), nullable=False),
        sa.Column("used_at", serving.tables.Moment(), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["accounts.account_id"],
        ),
        sa.PrimaryKeyConstraint("token_hash"),
    )
    op.create_table(
        "decisions",
        sa.Column("decision_id", sa.String(length=32), nullable=False),
        sa.Column("row_id", sa.String(length=32), nullable=False),
        sa.Column("account_id", sa.String(length=32), nullable=False),
        sa.Column("decided_at", serving.tables.Moment(), nullable=False),
        sa.Column("kind", sa.String(length=30), nullable=False),
        sa.Column("no_action_because", sa.String(length=30), nullable=False),
        sa.Column("owner", sa.String(length=100), nullable=False),
        sa.Column("look_back_on", sa.Date(), nullable=True),
        sa.Column("note", sa.String(length=280), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["accounts.account_id"],
        ),
        sa.ForeignKeyConstraint(
            ["row_id"],
            ["list_rows.row_id"],
        ),
        sa.PrimaryKeyConstraint("decision_id"),
    )
    op.create_index("ix_decisions_row_id", "decisions", ["row_id"], unique=False)


def downgrade() -> None:
    """Drop them again."""
    op.drop_index("ix_decisions_row_id", "decisions")

    op.drop_table("decisions")
    op.drop_table("setup_links")
    op.drop_index("ix_sessions_account_id", "sessions")

    op.drop_table("sessions")
    op.drop_index("ix_list_rows_pupil_key", "list_rows")

    op.drop_table("list_rows")
    op.drop_table("account_schools")
    op.drop_index("ix_sign_in_failures_email_hash", "sign_in_failures")
    op.drop_index("ix_sign_in_failures_address", "sign_in_failures")

    op.drop_table("sign_in_failures")
    op.drop_table("lists")
    op.drop_table("accounts")
