"""Where a training runs, and what that place is good at."""

from __future__ import annotations

import torch

from chatbot.errors import TrainingError


def resolve_device(device: str = "auto") -> torch.device:
    """``auto``: a CUDA GPU where there is one, else the CPU. Raises TrainingError for a GPU that is not
    there.
    """
    if device == "auto":
        # each of several processes has chosen its own card (chatbot/neural/together.py)
        return (
            torch.device("cuda", torch.cuda.current_device())
            if torch.cuda.is_available()
            else torch.device("cpu")
        )
    if device.startswith("cuda") and not torch.cuda.is_available():
        raise TrainingError(
            "no CUDA device is available",
            field="device",
            value=device,
            remedy="use --device cpu, or install a torch build with CUDA",
        )
    return torch.device(device)


def fast_bfloat16() -> bool:
    """Whether this processor multiplies bfloat16 natively: an LSTM trains up to four times as fast then."""
    has = getattr(torch.ops.mkldnn, "_is_mkldnn_bf16_supported", None)
    return bool(has and has()) and bool(torch.cpu._is_avx512_bf16_supported())
