"""The one rate limiter of the web process: chat, sign-in and uploads count against it.

``create_app`` calls ``limiter.init_app(app)`` after it has set ``RATELIMIT_STORAGE_URI`` (settings.limits_url).
An address is the visitor's as far as ``settings.trusted_proxies`` says so (werkzeug's ProxyFix decides, not a
header that anyone can send).
"""

from __future__ import annotations

from flask_limiter import Limiter, RateLimitExceeded
from flask_limiter.util import get_remote_address


class SteadyLimiter(Limiter):
    """Redis may go away under several requests at once. Flask-Limiter then turns to memory for the one that notices
    first, and fails the others, which find it turned already (``bench faults --engines``: 2 of 700 tries)."""

    def _check_request_limit(self, callable_name: str | None = None, in_middleware: bool = True) -> None:
        try:
            super()._check_request_limit(callable_name, in_middleware)
        except RateLimitExceeded:
            raise
        except Exception:
            if not self._storage_dead:
                raise
            self.context.seen_limits.clear()
            super()._check_request_limit(callable_name, in_middleware)


limiter = SteadyLimiter(
    key_func=get_remote_address,
    headers_enabled=True,  # Retry-After with every 429
    in_memory_fallback_enabled=True,  # Redis away: each process counts for itself, and visitors are answered
    strategy="moving-window",
)
