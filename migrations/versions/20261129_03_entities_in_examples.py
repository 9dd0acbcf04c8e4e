"""entities that people marked in examples

Revision: 20261129_03, after 20261129_02
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "20261129_03"
down_revision = "20261129_02"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("examples", sa.Column("entities", sa.JSON(), nullable=True))


def downgrade() -> None:
    op.drop_column("examples", "entities")
