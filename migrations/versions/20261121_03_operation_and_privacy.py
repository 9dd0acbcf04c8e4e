"""operation and privacy: a second factor, who was erased, which request queued a job

Revision: 20261121_03, after 20261121_02
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "20261121_03"
down_revision = "20261121_02"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("people") as people:
        people.add_column(sa.Column("totp_secret", sa.String(length=64), nullable=True))
        people.add_column(sa.Column("totp_step", sa.BigInteger(), nullable=True))
        people.add_column(sa.Column("recovery_codes", sa.JSON(), nullable=True))
    with op.batch_alter_table("releases") as releases:
        releases.add_column(sa.Column("erased_people", sa.Integer(), nullable=False, server_default="0"))
    with op.batch_alter_table("jobs") as jobs:
        jobs.add_column(sa.Column("request_id", sa.String(length=64), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("jobs") as jobs:
        jobs.drop_column("request_id")
    with op.batch_alter_table("releases") as releases:
        releases.drop_column("erased_people")
    with op.batch_alter_table("people") as people:
        people.drop_column("recovery_codes")
        people.drop_column("totp_step")
        people.drop_column("totp_secret")
