from __future__ import annotations

import pytest

from chatbot.errors import BundleError, ConflictError
from chatbot.learning.bundles import Manifest, building, read_manifest, seal, verify
from chatbot.learning.snapshot import write_snapshot


@pytest.fixture
def bundle(tmp_path):
    folder = tmp_path / "r1"
    with building(folder) as temporary:
        (temporary / "classifier").mkdir()
        (temporary / "classifier" / "model.onnx").write_bytes(b"weights")
        (temporary / "search.json").write_text("{}")
        seal(temporary, Manifest("r1", "2026-11-20T00:00:00+00:00", "abc", 13, ("en", "zh")))
    return folder


def test_a_sealed_bundle_reads_back_as_it_was(bundle):
    manifest = verify(bundle)
    assert manifest.languages == ("en", "zh")
    assert set(manifest.files) == {"classifier/model.onnx", "search.json"}


@pytest.mark.parametrize(
    ("damage", "word"),
    [
        (lambda f: (f / "classifier" / "model.onnx").write_bytes(b"weightz"), "damaged"),
        (lambda f: (f / "search.json").unlink(), "missing"),
        (lambda f: (f / "more.bin").write_bytes(b"x"), "does not list"),
    ],
)
def test_a_damaged_bundle_is_refused_and_the_file_is_named(bundle, damage, word):
    damage(bundle)
    with pytest.raises(BundleError, match=word) as caught:
        verify(bundle)
    assert caught.value.value


def test_a_build_that_fails_leaves_nothing_behind(tmp_path):
    with pytest.raises(RuntimeError), building(tmp_path / "r2") as temporary:
        (temporary / "half").write_text("half")
        raise RuntimeError
    assert list(tmp_path.iterdir()) == []


def test_a_bundle_is_never_overwritten(bundle):
    with pytest.raises(ConflictError), building(bundle):
        pass


def test_a_folder_without_manifest_is_no_bundle(tmp_path):
    with pytest.raises(BundleError, match="No readable release"):
        read_manifest(tmp_path)


def test_a_snapshot_taken_for_a_bundle_says_that_it_is_to_be_trained(tmp_path):
    empty = {name: [] for name in ("examples.jsonl", "dialogues.jsonl", "passages.jsonl", "pairs.jsonl")}
    write_snapshot(tmp_path / "s", empty, created_at="2026-11-20", seed=13, languages=("en",), intents=())
    with pytest.raises(BundleError) as caught:
        read_manifest(tmp_path / "s")
    assert "chatbot.learning.training SNAPSHOT --out BUNDLE" in caught.value.remedy
