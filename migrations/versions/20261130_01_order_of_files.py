"""in what order a turn's files were sent, whichever of them was uploaded first

Revision: 20261130_01, after 20261129_04
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "20261130_01"
down_revision = "20261129_04"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("attachments") as table:
        table.add_column(sa.Column("position", sa.Integer(), nullable=False, server_default="0"))


def downgrade() -> None:
    with op.batch_alter_table("attachments") as table:
        table.drop_column("position")
