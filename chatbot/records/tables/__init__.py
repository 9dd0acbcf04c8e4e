"""The tables of the conversation database, as typed SQLAlchemy models.

Relationships are few on purpose: queries live in the topic modules beside this one, and a column that can be
derived is not stored. Times are UTC. JSON columns hold plain data written by exactly one module each.
"""

from __future__ import annotations

from chatbot.records.tables.conversations import Attachment, Conversation, Feedback, Site, Turn, Visitor
from chatbot.records.tables.inbox import (
    Action,
    ActionCall,
    Alert,
    CannedReply,
    ChatwootBridge,
    Delivery,
    Presence,
    Webhook,
)
from chatbot.records.tables.knowledge import (
    Answer,
    Article,
    ArticleQuestion,
    Intent,
    KnowledgeChange,
    KnowledgeClock,
    Passage,
)
from chatbot.records.tables.learning import (
    Canary,
    Example,
    Import,
    Job,
    NearDuplicate,
    Promotion,
    Proposal,
    ProposalMember,
    Release,
    Snapshot,
    Transcript,
)
from chatbot.records.tables.people import ApiKey, AuditEntry, Person, SetupLink
from chatbot.records.tables.table import NAMING, Table, UtcDateTime, one_of, utcnow

__all__ = [
    "NAMING",
    "Action",
    "ActionCall",
    "Alert",
    "Answer",
    "ApiKey",
    "Article",
    "ArticleQuestion",
    "Attachment",
    "AuditEntry",
    "Canary",
    "CannedReply",
    "ChatwootBridge",
    "Conversation",
    "Delivery",
    "Example",
    "Feedback",
    "Import",
    "Intent",
    "Job",
    "KnowledgeChange",
    "KnowledgeClock",
    "NearDuplicate",
    "Passage",
    "Person",
    "Presence",
    "Promotion",
    "Proposal",
    "ProposalMember",
    "Release",
    "SetupLink",
    "Site",
    "Snapshot",
    "Table",
    "Transcript",
    "Turn",
    "UtcDateTime",
    "Visitor",
    "Webhook",
    "one_of",
    "utcnow",
]
