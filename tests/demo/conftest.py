from __future__ import annotations

from typing import Any

import pytest

from ingest.demo.conversations import compose


@pytest.fixture(scope="session")
def past() -> list[dict[str, Any]]:
    """The demo company's whole export; composing it takes ten seconds."""
    return list(compose())
