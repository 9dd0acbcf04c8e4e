"""the page of the company's website on which a conversation began

Revision: 20261129_01, after 20261128_01
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "20261129_01"
down_revision = "20261128_01"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("conversations", sa.Column("page", sa.String(500), nullable=True))


def downgrade() -> None:
    op.drop_column("conversations", "page")
