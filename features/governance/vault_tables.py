"""The tables of the vault; what is readable in them tells nobody who a pupil is."""

import sqlalchemy as sa

METADATA = sa.MetaData()
WRAPPED_KEYS = sa.Table(
    "wrapped_key",
    METADATA,
    sa.Column("name", sa.String(16), primary_key=True),
    sa.Column("wrapped", sa.LargeBinary, nullable=False),
)
PUPILS = sa.Table(
    "pupil",
    METADATA,
    sa.Column("uid", sa.LargeBinary(16), primary_key=True),
    sa.Column("pupil_key", sa.String(40), nullable=False, unique=True),
    sa.Column("school", sa.String(6), nullable=False),
    sa.Column("number_tag", sa.LargeBinary(32), nullable=False),
    sa.Column("sealed", sa.LargeBinary, nullable=False),
    sa.Column("content_tag", sa.LargeBinary(32), nullable=False),
    sa.UniqueConstraint("school", "number_tag"),
)

# A pupil who came from another school of the region: records go on under the kept key.
LINKS = sa.Table(
    "linked_pupil",
    METADATA,
    sa.Column("pupil_key", sa.String(40), primary_key=True),
    sa.Column("kept_key", sa.String(40), nullable=False, index=True),
)

# Which pseudonym becomes which; empty but for the time of a renewal.
RENEWED = sa.Table(
    "renewed_pupil",
    METADATA,
    sa.Column("old_key", sa.String(40), primary_key=True),
    sa.Column("new_key", sa.String(40), nullable=False, unique=True),
)
