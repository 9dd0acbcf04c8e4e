"""What an installation that only serves lacks: the libraries of ``frontdesk[train]``."""

from __future__ import annotations

from importlib.util import find_spec

from chatbot.errors import UnavailableError

TRAIN = frozenset(
    {"torch", "onnx", "onnxscript", "sentence_transformers", "transformers", "accelerate", "sklearn", "scipy"}
)


def require_training() -> None:
    """Raises UnavailableError where nothing can be trained here: better now than after minutes of work."""
    if find_spec("torch") is None:
        raise lacking("torch")


def missing_extra(error: BaseException) -> UnavailableError | None:
    """Our own error for a library of the extra that could not be imported; None for any other."""
    name = (error.name or "").partition(".")[0] if isinstance(error, ModuleNotFoundError) else ""
    return lacking(name) if name in TRAIN else None


def lacking(name: str) -> UnavailableError:
    return UnavailableError(
        "This installation serves only; what trains and measures is not installed",
        code="serves_only",
        field="extra",
        value=name,
        remedy="pip install 'frontdesk[train]', or let a worker that has it do this",
    )
