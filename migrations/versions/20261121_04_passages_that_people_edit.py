"""passages that people edit: what they stand for, when they count, questions of their own

Revision: 20261121_04, after 20261121_03
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "20261121_04"
down_revision = "20261121_03"
branch_labels = None
depends_on = None

KEEP_IDS = {"sqlite_autoincrement": True}  # SQLite makes the table anew: deleted ids must not return


def upgrade() -> None:
    with op.batch_alter_table("passages", table_kwargs=KEEP_IDS) as passages:
        passages.add_column(sa.Column("edited", sa.Boolean(), nullable=False, server_default=sa.false()))
        passages.add_column(sa.Column("origin", sa.JSON(), nullable=True))
        passages.add_column(
            sa.Column("source_changed", sa.Boolean(), nullable=False, server_default=sa.false())
        )
        passages.add_column(sa.Column("valid_from", sa.DateTime(timezone=True), nullable=True))
        passages.add_column(sa.Column("valid_until", sa.DateTime(timezone=True), nullable=True))
    with op.batch_alter_table("article_questions", table_kwargs=KEEP_IDS) as questions:
        questions.add_column(sa.Column("passage_id", sa.Integer(), nullable=True))
        questions.create_foreign_key(
            op.f("fk_article_questions_passage_id_passages"),
            "passages",
            ["passage_id"],
            ["id"],
            ondelete="SET NULL",
        )
        questions.create_index(op.f("ix_article_questions_passage_id"), ["passage_id"])


def downgrade() -> None:
    with op.batch_alter_table("article_questions", table_kwargs=KEEP_IDS) as questions:
        questions.drop_index(op.f("ix_article_questions_passage_id"))
        questions.drop_constraint(op.f("fk_article_questions_passage_id_passages"), type_="foreignkey")
        questions.drop_column("passage_id")
    with op.batch_alter_table("passages", table_kwargs=KEEP_IDS) as passages:
        for column in ("valid_until", "valid_from", "source_changed", "origin", "edited"):
            passages.drop_column(column)
