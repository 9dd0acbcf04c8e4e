"""how long each reply took, beside its trace, and an index from which the overview's figures are read alone

A trace is kilobytes of JSON: summing its milliseconds for a page would read all of every one.

Revision: 20261121_07, after 20261121_06
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "20261121_07"
down_revision = "20261121_06"
branch_labels = None
depends_on = None

COUNTED = "ix_turns_created_at_role_kind_lang_intent_milliseconds"
SUMS = {
    "sqlite": "SELECT sum(value) FROM json_each(turns.trace, '$.milliseconds')",
    "postgresql": "SELECT sum(value::float) FROM json_each_text(turns.trace -> 'milliseconds')",
}


def upgrade() -> None:
    op.add_column("turns", sa.Column("milliseconds", sa.Float(), nullable=True))
    stages = SUMS[op.get_bind().dialect.name]
    op.execute(f"UPDATE turns SET milliseconds = ({stages}) WHERE role = 'bot' AND trace IS NOT NULL")
    op.create_index(
        COUNTED, "turns", ["created_at", "role", "kind", "lang", "intent", "milliseconds"], unique=False
    )
    op.drop_index("ix_turns_created_at", table_name="turns")


def downgrade() -> None:
    op.create_index("ix_turns_created_at", "turns", ["created_at"], unique=False)
    op.drop_index(COUNTED, table_name="turns")
    op.drop_column("turns", "milliseconds")
