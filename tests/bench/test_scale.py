import json

import numpy as np
import pytest
from click.testing import CliRunner

from web.bench.scale import COSINE, Mixture, command


def test_vectors_stand_at_the_stated_cosine_to_their_centre():
    mixture = Mixture(2000, 32, seed=1)
    vectors = mixture.draw(500)
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    assert np.allclose(
        (vectors @ mixture._centres.T.astype(np.float32)).max(axis=1).mean(), COSINE, atol=0.05
    )


@pytest.mark.parametrize("limit", [500, 5000])
def test_both_indexes_are_measured_in_one_run(tmp_path, monkeypatch, limit):
    monkeypatch.setattr("chatbot.retrieval.vector_index.FLAT_LIMIT", limit)
    monkeypatch.setattr("web.bench.scale.QUERIES", 60)
    out = tmp_path / "scale.json"
    result = CliRunner().invoke(command, ["--passages", "2000", "--dimensions", "16", "--json", str(out)])
    assert result.exit_code == 0, result.output
    figures = json.loads(out.read_text())
    assert {"index_type", "build_seconds", "rss_bytes", "recall_at_10", "latency", "faiss_latency"} <= set(
        figures
    )
    assert figures["index_type"].startswith("ivf" if limit == 500 else "flat")
    assert figures["recall_at_10"] > 95
