import hashlib

import numpy as np
import pytest

from chatbot.retrieval.terms import terms


class WordEncoder:
    """A stand-in encoder: each term a fixed random direction, a text their sum. Deterministic, no files."""

    fingerprint = "words"
    dimension = 48

    def __init__(self, *languages):
        self.languages = languages
        self.encoded = 0

    def encode(self, texts):
        self.encoded += len(texts)
        rows = np.zeros((len(texts), self.dimension), dtype=np.float32)
        for row, text in enumerate(texts):
            for term in terms(text):
                seed = int.from_bytes(hashlib.sha256(term.encode()).digest()[:4], "big")
                rows[row] += np.random.default_rng(seed).standard_normal(self.dimension)
        return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9)


@pytest.fixture
def encoder():
    return WordEncoder("en", "zh")
