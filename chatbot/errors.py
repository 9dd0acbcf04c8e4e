"""Frontdesk's own exceptions.

::

    FrontdeskError
    ├── InputError          the caller's input is not usable                    (HTTP 422)
    │   └── FileError       a file cannot be read: encoding, shape, size        (HTTP 422)
    ├── NotFoundError       no such thing                                       (HTTP 404)
    ├── ConflictError       the thing is in a state that forbids this           (HTTP 409)
    ├── AccessError         not signed in, or not allowed                       (HTTP 401 or 403)
    ├── LimitError          too much, too often                                 (HTTP 429 or 413)
    ├── UnavailableError    cannot answer just now: no release, a full machine  (HTTP 503)
    ├── OutboundError       another machine that we asked does not answer as it should  (HTTP 502)
    ├── BundleError         a release bundle is damaged, incomplete or foreign           (HTTP 409)
    └── TrainingError       training cannot start or did not converge

Every error carries what was wrong (``value``), where (``field``) and what to do about it (``remedy``), so that
the terminal, the API and the pages can say the same thing.
"""

from __future__ import annotations

from typing import Any


class FrontdeskError(Exception):
    """An error with a stable ``code``, the offending ``value`` and a ``remedy`` in plain words."""

    code = "error"
    status = 500

    def __init__(
        self,
        message: str,
        *,
        field: str | None = None,
        value: Any = None,
        remedy: str | None = None,
        code: str | None = None,
        status: int | None = None,
        retry_after: int | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.field = field
        self.value = value
        self.remedy = remedy
        self.retry_after = retry_after  # seconds
        if code is not None:
            self.code = code
        if status is not None:
            self.status = status

    def as_json(self) -> dict[str, Any]:
        """``{"code", "message", "field"?, "value"?, "remedy"?}``: the one error shape of the API."""
        body: dict[str, Any] = {"code": self.code, "message": self.message}
        if self.field is not None:
            body["field"] = self.field
        if self.value is not None:
            body["value"] = (
                self.value if isinstance(self.value, int | float | bool) else str(self.value)[:200]
            )
        if self.remedy is not None:
            body["remedy"] = self.remedy
        return body

    def one_line(self) -> str:
        """The error as the terminal prints it."""
        parts = [self.message.rstrip(".")]
        if self.value is not None and str(self.value) not in self.message:
            parts[0] += f" (got {str(self.value)[:120]!r})"
        if self.remedy:
            parts.append(self.remedy.rstrip("."))
        return ". ".join(parts) + "."


class InputError(FrontdeskError):
    code = "invalid_input"
    status = 422


class FileError(InputError):
    code = "unreadable_file"


class NotFoundError(FrontdeskError):
    code = "not_found"
    status = 404


class ConflictError(FrontdeskError):
    code = "conflict"
    status = 409


class AccessError(FrontdeskError):
    code = "forbidden"
    status = 403


class LimitError(FrontdeskError):
    code = "too_many_requests"
    status = 429


class UnavailableError(FrontdeskError):
    code = "unavailable"
    status = 503


class OutboundError(FrontdeskError):
    code = "outbound_failed"
    status = 502


class BundleError(FrontdeskError):
    code = "bad_bundle"
    status = 409


class TrainingError(FrontdeskError):
    code = "training_failed"
