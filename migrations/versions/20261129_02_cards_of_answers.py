"""cards of an approved answer: title, words, picture, links

Revision: 20261129_02, after 20261129_01
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "20261129_02"
down_revision = "20261129_01"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("answers", sa.Column("cards", sa.JSON(), nullable=True))


def downgrade() -> None:
    op.drop_column("answers", "cards")
