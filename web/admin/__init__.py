"""The admin area: what the bot knows, what it said and why, and the switches. Pages made on the server.

One blueprint; each module of ``web.admin.pages`` adds the views of one topic. Every view names the role it needs
(web/access.py) and every change is written to the audit log in the transaction that makes it.
"""

from __future__ import annotations

from web.admin.blueprint import blueprint
from web.admin.pages import (
    actions,
    api_keys,
    audit,
    conversations,
    examples,
    home,
    jobs,
    knowledge,
    learning,
    passages,
    people,
    privacy,
    provisional,
    releases,
    site,
    style,
    turns,
    uploads,
    visitors,
    widget,
    writing,
)

__all__ = [
    "actions",
    "api_keys",
    "audit",
    "blueprint",
    "conversations",
    "examples",
    "home",
    "jobs",
    "knowledge",
    "learning",
    "passages",
    "people",
    "privacy",
    "provisional",
    "releases",
    "site",
    "style",
    "turns",
    "uploads",
    "visitors",
    "widget",
    "writing",
]
