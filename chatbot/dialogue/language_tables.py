"""Arrays of each language in one compressed file of the bundle."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from chatbot.errors import BundleError

Tables = dict[str, NDArray[Any]]  # by name
T = TypeVar("T")


def save_tables(path: Path, languages: Mapping[str, Tables]) -> None:
    tables = {f"{lang}/{name}": table for lang, own in languages.items() for name, table in own.items()}
    with path.open("wb") as file:
        np.savez_compressed(file, allow_pickle=False, **tables)


def load_tables(path: Path, make: Callable[[Tables], T], *, unreadable: BundleError) -> dict[str, T]:
    """What ``make`` makes of each language's tables.

    Raises ``unreadable`` where the file is damaged or its tables do not fit each other.
    """
    languages: dict[str, Tables] = {}
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as tables:
            for key in tables.files:
                lang, _, name = key.partition("/")
                languages.setdefault(lang, {})[name] = tables[key]
        return {lang: make(own) for lang, own in languages.items()}
    except (OSError, ValueError, TypeError, KeyError, EOFError, BadZipFile) as error:
        raise unreadable from error
