"""The file of figures that every benchmark writes where it is asked to."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

json_option = click.option(
    "--json", "json_file", type=click.Path(dir_okay=False, path_type=Path), help="Write the figures."
)


def write_figures(figures: Mapping[str, Any], file: Path | None) -> None:
    """As JSON in UTF-8; nothing without a file."""
    if file:
        file.write_text(json.dumps(figures, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
