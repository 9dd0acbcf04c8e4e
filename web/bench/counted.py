"""What a server of ours has counted of its drafts, read from its /metrics (web/metrics.py)."""

from __future__ import annotations

import http.client
import re
import urllib.request
from typing import Any

SECONDS = 30.0  # a full server takes its time
_DRAFTS = re.compile(r'^frontdesk_drafts_total\{outcome="(written|left_out)"\} ([0-9.e+]+)$', re.MULTILINE)


def drafts_counted(url: str, token: str) -> dict[str, int] | None:
    """Drafts written and left out since the server began; None where it does not tell."""
    if not token:
        return None
    asked = urllib.request.Request(f"{url}/metrics", headers={"Authorization": f"Bearer {token}"})
    try:
        with urllib.request.urlopen(asked, timeout=SECONDS) as answer:
            told = answer.read().decode()
    except (OSError, http.client.HTTPException):
        return None
    return {"written": 0, "left_out": 0} | {name: int(float(count)) for name, count in _DRAFTS.findall(told)}


def drafts_since(before: dict[str, int] | None, after: dict[str, int] | None) -> dict[str, Any] | None:
    """What has come to it, and the share left out of those that were due, in percent."""
    if before is None or after is None:
        return None
    grown = {name: after[name] - before[name] for name in after}
    due = sum(grown.values())
    return {**grown, "left_out_share": round(100 * grown["left_out"] / due, 2) if due else None}
