"""An installation without what trains: it is small, it says what it lacks, and how to get it."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from chatbot import extras
from chatbot.errors import UnavailableError
from web.jobs import error_as_json

PROJECT = tomllib.loads((Path(__file__).parent.parent / "pyproject.toml").read_text("utf-8"))["project"]


def names(requirements: list[str]) -> set[str]:
    return {
        requirement.partition("[")[0].split(">")[0].split("=")[0].replace("-", "_")
        for requirement in requirements
    }


def test_what_trains_is_an_extra_and_serving_needs_none_of_it() -> None:
    train = names(PROJECT["optional-dependencies"]["train"])
    assert {"torch", "sentence_transformers", "onnx", "scikit_learn"} <= train
    assert not names(PROJECT["dependencies"]) & train


def test_a_missing_library_of_the_extra_is_our_own_error_with_the_remedy() -> None:
    told = error_as_json(ModuleNotFoundError("No module named 'torch.nn'", name="torch.nn"))
    assert told["code"] == "serves_only" and "frontdesk[train]" in told["remedy"]
    assert error_as_json(ModuleNotFoundError("No module named 'x'", name="x"))["code"] == "crashed"


def test_training_is_refused_before_any_work_where_torch_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(extras, "find_spec", lambda name: None)
    with pytest.raises(UnavailableError, match="serves only"):
        extras.require_training()
