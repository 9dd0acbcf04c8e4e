"""The one rate limiter of the web process: chat, sign-in and uploads count against it.

``create_app`` calls ``limiter.init_app(app)`` after it has set ``RATELIMIT_STORAGE_URI`` (settings.limits_url).
An address is the visitor's as far as ``settings.trusted_proxies`` says so (werkzeug's ProxyFix decides, not a
header that anyone can send).
"""

from __future__ import annotations

from flask_limiter import Limiter
from flask_limiter.util import get_remote_address

limiter = Limiter(
    key_func=get_remote_address,
    headers_enabled=True,  # Retry-After with every 429
    in_memory_fallback_enabled=True,  # Redis away: each process counts for itself, and visitors are answered
    strategy="moving-window",
)
