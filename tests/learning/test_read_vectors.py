"""The vectors that a training leaves for the search."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from chatbot.errors import BundleError
from chatbot.inference.encode import SentenceEncoder
from chatbot.learning.read_vectors import FOLDER, TEXTS_FILE, NotingEncoder, take_noted


def test_what_was_read_comes_back_once_as_the_search_would_encode_it(
    packaged_encoder: Path, tmp_path: Path
) -> None:
    encoder = NotingEncoder.load(packaged_encoder)
    encoder.encode_tokens(["Where is my parcel?", "Is the kettle back in stock?"])
    encoder.save_noted(tmp_path)
    fingerprint, noted = take_noted(tmp_path)
    assert fingerprint == encoder.fingerprint
    assert list(noted) == ["Where is my parcel?", "Is the kettle back in stock?"]
    plain = SentenceEncoder.load(packaged_encoder).encode(list(noted))
    assert np.abs(np.stack(list(noted.values())) - plain).max() < 1e-3
    assert take_noted(tmp_path) == ("", {})  # they do not travel with the release
    assert not (tmp_path / FOLDER).exists()


def test_files_that_do_not_fit_each_other_are_said(packaged_encoder: Path, tmp_path: Path) -> None:
    encoder = NotingEncoder.load(packaged_encoder)
    encoder.encode_tokens(["Where is my parcel?"])
    encoder.save_noted(tmp_path)
    (tmp_path / FOLDER / TEXTS_FILE).write_text('{"fingerprint": "x", "texts": ["a", "b"]}', encoding="utf-8")
    with pytest.raises(BundleError, match="cannot be read"):
        take_noted(tmp_path)
