"""when an imported conversation was held, where its source says so

Revision: 20261130_02, after 20261130_01
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "20261130_02"
down_revision = "20261130_01"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("transcripts") as table:
        table.add_column(sa.Column("began_at", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("transcripts") as table:
        table.drop_column("began_at")
