"""The inbox of those who answer customers: the queue, one conversation with all that helps, and its settings.

Pages come from the server; what changes while one looks on comes over server-sent events. One blueprint under /admin,
because the session's cookie is sent there alone.
"""

from __future__ import annotations

from web.inbox import actions, bridge_pages, files, live, pages, service_pages
from web.inbox.blueprint import blueprint

__all__ = ["actions", "blueprint", "bridge_pages", "files", "live", "pages", "service_pages"]
