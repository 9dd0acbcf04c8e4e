"""Security headers of every response, set where a view has not set its own."""

from __future__ import annotations

from collections.abc import Sequence

from flask import Flask, Request, Response, g, request

from web.widget_options import MOST_ATTACHMENT_MB

PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:{images}; font-src 'self'; "
    "connect-src 'self'; frame-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors {ancestors}"
)
DATA_POLICY = "default-src 'none'; frame-ancestors 'none'"  # nothing that is not a page needs anything
API_BODY_BYTES = 64 * 1024
PAGE_BODY_BYTES = 1024 * 1024
FORM_SLACK_BYTES = 1024 * 1024  # field names and boundaries around an upload


def page_policy(ancestors: str = "'none'", images: Sequence[str] = ()) -> str:
    """The strict policy of a page: own files only, nothing inline, no eval; pictures also from ``images``."""
    return PAGE_POLICY.format(ancestors=ancestors, images="".join(f" {source}" for source in images))


class FrontdeskRequest(Request):
    """An empty body counts as an empty JSON object: ``POST …/close`` needs none."""

    def get_json(self, force: bool = False, silent: bool = False, cache: bool = True) -> object:
        if not self.get_data(cache=True):
            return {}
        try:
            return super().get_json(force=force, silent=silent, cache=cache)
        except RecursionError as error:  # brackets thousands deep: no JSON that anybody means
            if silent:
                return None
            return self.on_json_loading_failed(ValueError(str(error)))


def init_app(app: Flask, *, upload_limit_mb: int) -> None:
    """Limits of the body before anything reads it, and the headers after everything else."""
    app.request_class = FrontdeskRequest
    app.config["MAX_CONTENT_LENGTH"] = PAGE_BODY_BYTES

    @app.before_request
    def limit_body() -> None:
        if request.endpoint == "files.upload":
            request.max_content_length = MOST_ATTACHMENT_MB * 1024 * 1024 + FORM_SLACK_BYTES
        elif request.path.startswith(("/api/", "/webhooks/")):
            request.max_content_length = API_BODY_BYTES
        elif request.path.startswith("/admin/"):
            request.max_content_length = upload_limit_mb * 1024 * 1024 + FORM_SLACK_BYTES

    @app.after_request
    def secure(response: Response) -> Response:
        headers = response.headers
        is_page = response.mimetype == "text/html"
        headers.setdefault("Content-Security-Policy", page_policy() if is_page else DATA_POLICY)
        if is_page:
            headers.setdefault(
                "Cache-Control", "no-cache"
            )  # its links carry versions: an old page would miss them
        headers.setdefault("X-Content-Type-Options", "nosniff")
        headers.setdefault("Referrer-Policy", "strict-origin-when-cross-origin")
        headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
        headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
        headers.setdefault("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=()")
        # The limiter adds its own Retry-After to every response, and the later one where there are two.
        headers.pop("Retry-After", None)
        if "retry_after" in g:
            headers["Retry-After"] = str(max(1, g.retry_after))
        return response
