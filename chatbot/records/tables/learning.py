"""From transcripts to releases, and queued work."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, Float, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from chatbot.records.tables.table import Table, one_of, utcnow


class Import(Table):
    """One file taken in. ``next_row`` is where a resumed import goes on; the same content again is a no-op."""

    __tablename__ = "imports"
    __table_args__ = (
        one_of("kind", "transcripts", "articles", "intents"),
        one_of("state", "running", "done", "failed"),
        UniqueConstraint("kind", "file_hash"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(16))
    file_name: Mapped[str] = mapped_column(String(500))
    file_hash: Mapped[str] = mapped_column(String(64))
    format: Mapped[str] = mapped_column(String(32))
    state: Mapped[str] = mapped_column(String(16), default="running")
    next_row: Mapped[int] = mapped_column(default=0)
    report: Mapped[dict[str, Any]] = mapped_column(default=dict)
    created_at: Mapped[datetime] = mapped_column(default=utcnow)
    finished_at: Mapped[datetime | None]


class Transcript(Table):
    """A past conversation, redacted before it was stored. ``turns``: [{"role", "text"}, …]."""

    __tablename__ = "transcripts"
    __table_args__ = (one_of("split", "train", "valid", "test"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    import_id: Mapped[int | None] = mapped_column(ForeignKey("imports.id", ondelete="SET NULL"), index=True)
    conversation_id: Mapped[int | None] = mapped_column(
        ForeignKey("conversations.id", ondelete="CASCADE"), index=True
    )
    external_id: Mapped[str] = mapped_column(String(200), default="")
    content_hash: Mapped[str] = mapped_column(String(64), unique=True)
    lang: Mapped[str] = mapped_column(String(16))
    tag: Mapped[str | None] = mapped_column(String(120))
    split: Mapped[str] = mapped_column(String(8))  # set once, from the near-duplicate group; never changes
    turns: Mapped[list[Any]]
    began_at: Mapped[
        datetime | None
    ]  # when it was held, where its source says so; created_at is when it came in
    created_at: Mapped[datetime] = mapped_column(default=utcnow)


class Example(Table):
    """A customer's message with what it asks for, found in a transcript or a live conversation or written."""

    __tablename__ = "examples"
    __table_args__ = (
        one_of("source", "transcript", "live", "admin", "import"),
        one_of("status", "unreviewed", "accepted", "rejected", "ignored"),
        one_of("split", "train", "valid", "test"),
        Index(None, "content_hash"),
        Index(None, "status", "intent_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    text: Mapped[str] = mapped_column(Text)
    lang: Mapped[str] = mapped_column(String(16))
    intent_id: Mapped[int | None] = mapped_column(ForeignKey("intents.id", ondelete="SET NULL"))
    out_of_scope: Mapped[bool] = mapped_column(default=False)
    context: Mapped[list[Any]] = mapped_column(default=list)  # [{"role", "text"}], the turns before
    answer: Mapped[str | None] = mapped_column(Text)  # what the agent replied
    source: Mapped[str] = mapped_column(String(16))
    status: Mapped[str] = mapped_column(String(16), default="unreviewed")
    split: Mapped[str] = mapped_column(String(8), default="train")
    transcript_id: Mapped[int | None] = mapped_column(
        ForeignKey("transcripts.id", ondelete="CASCADE"), index=True
    )
    turn_id: Mapped[int | None] = mapped_column(ForeignKey("turns.id", ondelete="SET NULL"), index=True)
    content_hash: Mapped[str] = mapped_column(String(64))
    group_key: Mapped[str] = mapped_column(String(64), index=True)  # near-duplicates share it
    labelled_by_id: Mapped[int | None] = mapped_column(ForeignKey("people.id", ondelete="SET NULL"))
    label_reason: Mapped[str | None] = mapped_column(String(200))
    # [{"kind", "start", "end"}]: what is named where in the text; None: nobody has looked
    entities: Mapped[list[Any] | None] = mapped_column(JSON(none_as_null=True))
    created_at: Mapped[datetime] = mapped_column(default=utcnow)


class Proposal(Table):
    """An intent proposed from messages that nobody labelled, and what a person decided about it."""

    __tablename__ = "proposals"
    __table_args__ = (one_of("status", "open", "accepted", "rejected", "merged"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(120))
    terms: Mapped[list[Any]] = mapped_column(default=list)
    drafts: Mapped[dict[str, Any]] = mapped_column(default=dict)  # {lang: the agents' typical answer}
    article_slug: Mapped[str | None] = mapped_column(String(200))
    evidence: Mapped[dict[str, Any]] = mapped_column(default=dict)  # {intent: tagged messages among them}
    status: Mapped[str] = mapped_column(String(16), default="open", index=True)
    intent_id: Mapped[int | None] = mapped_column(ForeignKey("intents.id", ondelete="SET NULL"))
    decided_by_id: Mapped[int | None] = mapped_column(ForeignKey("people.id", ondelete="SET NULL"))
    decided_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=utcnow)


class ProposalMember(Table):
    """A message of a proposal. It stays one after the decision, so that a later export proposes only what is new."""

    __tablename__ = "proposal_members"

    example_id: Mapped[int] = mapped_column(ForeignKey("examples.id", ondelete="CASCADE"), primary_key=True)
    proposal_id: Mapped[int] = mapped_column(ForeignKey("proposals.id", ondelete="CASCADE"), index=True)
    strength: Mapped[float] = mapped_column(Float, default=1.0)  # 0..1, how typical


class NearDuplicate(Table):
    """Where near-duplicates find each other: a band of a MinHash -> the group (ingest/near_duplicates.py)."""

    __tablename__ = "near_duplicates"

    band: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    group_key: Mapped[str] = mapped_column(String(64))


class Snapshot(Table):
    __tablename__ = "snapshots"

    fingerprint: Mapped[str] = mapped_column(String(64), primary_key=True)
    counts: Mapped[dict[str, Any]] = mapped_column(default=dict)
    created_at: Mapped[datetime] = mapped_column(default=utcnow)


class Release(Table):
    __tablename__ = "releases"
    __table_args__ = (one_of("status", "candidate", "promoted", "refused"),)

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    status: Mapped[str] = mapped_column(String(16), default="candidate")
    parent_id: Mapped[str | None] = mapped_column(String(40))  # the release live when it was made
    snapshot: Mapped[str] = mapped_column(String(64))
    metrics: Mapped[dict[str, Any]] = mapped_column(default=dict)
    gate: Mapped[dict[str, Any]] = mapped_column(default=dict)
    reason: Mapped[str] = mapped_column(Text, default="")
    erased_people: Mapped[int] = mapped_column(
        default=0
    )  # how many, erased since, wrote what it was trained on
    created_by_id: Mapped[int | None] = mapped_column(ForeignKey("people.id", ondelete="SET NULL"))
    created_at: Mapped[datetime] = mapped_column(default=utcnow)


class Promotion(Table):
    """The last row says which release is live: the only truth about it. A roll back is a row like any other."""

    __tablename__ = "promotions"

    id: Mapped[int] = mapped_column(primary_key=True)
    release_id: Mapped[str] = mapped_column(ForeignKey("releases.id", ondelete="RESTRICT"), index=True)
    person_id: Mapped[int | None] = mapped_column(ForeignKey("people.id", ondelete="SET NULL"))
    reason: Mapped[str] = mapped_column(Text, default="")
    created_at: Mapped[datetime] = mapped_column(default=utcnow)


class Canary(Table):
    """A release that answers a share of the new conversations on trial. At most one has no ``ended_at``."""

    __tablename__ = "canaries"

    id: Mapped[int] = mapped_column(primary_key=True)
    release_id: Mapped[str] = mapped_column(ForeignKey("releases.id", ondelete="CASCADE"), index=True)
    live_id: Mapped[str] = mapped_column(String(40))  # the release it is held against
    share: Mapped[float] = mapped_column(Float)  # 0..1 of the conversations begun since
    person_id: Mapped[int | None] = mapped_column(ForeignKey("people.id", ondelete="SET NULL"))
    started_at: Mapped[datetime] = mapped_column(default=utcnow)
    ended_at: Mapped[datetime | None]


class Job(Table):
    """Queued work. This row is the truth; the queue's message carries its id alone."""

    __tablename__ = "jobs"
    __table_args__ = (
        one_of("state", "queued", "running", "done", "failed", "cancelled"),
        Index(None, "state", "heartbeat_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(32))
    arguments: Mapped[dict[str, Any]] = mapped_column(default=dict)
    request_id: Mapped[str | None] = mapped_column(String(64))  # of the web request that queued it
    state: Mapped[str] = mapped_column(String(16), default="queued")
    stage: Mapped[str] = mapped_column(String(200), default="")
    progress: Mapped[float] = mapped_column(default=0.0)  # 0..1
    last_batch: Mapped[int] = mapped_column(default=0)
    attempt: Mapped[int] = mapped_column(default=0)
    worker: Mapped[str | None] = mapped_column(String(100))
    heartbeat_at: Mapped[datetime | None]
    result: Mapped[dict[str, Any] | None]
    error: Mapped[dict[str, Any] | None]
    created_by_id: Mapped[int | None] = mapped_column(ForeignKey("people.id", ondelete="SET NULL"))
    created_at: Mapped[datetime] = mapped_column(default=utcnow)
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
