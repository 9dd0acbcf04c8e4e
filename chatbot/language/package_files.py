"""Where a package lies whose files are read without importing it, which would cost many times as much."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from chatbot.errors import UnavailableError


def folder_of(package: str) -> Path:
    """Raises UnavailableError where the package is not installed."""
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise UnavailableError(
            f"The package {package}, whose tables are read, is not installed",
            field="package",
            value=package,
            remedy=f"pip install {package}",
        )
    return Path(spec.submodule_search_locations[0])
