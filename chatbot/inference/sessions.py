"""onnxruntime sessions set up for one message at a time on a few cores."""

from __future__ import annotations

from pathlib import Path

import onnxruntime

from chatbot.errors import BundleError


def open_session(path: Path, *, threads: int = 1) -> onnxruntime.InferenceSession:
    """A CPU session over an ONNX file.

    Threads wait by sleeping rather than spinning: several processes share the machine's cores. Raises
    BundleError when the file is missing or no model.
    """
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 3
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime raises its own kinds, which share no public parent
        raise BundleError(
            f"the model file cannot be loaded: {error}",
            field="file",
            value=path.name,
            remedy="retrain, or roll back to another release",
        ) from error
