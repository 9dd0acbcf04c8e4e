"""The loss of a classifier with labels, with a teacher, or with both."""

from __future__ import annotations

import torch
from torch.nn import functional


def classification_loss(
    logits: torch.Tensor,
    targets: torch.Tensor,
    *,
    teacher: torch.Tensor | None = None,
    label_smoothing: float = 0.0,
    temperature: float = 2.0,
    teacher_weight: float = 0.85,
) -> torch.Tensor:
    """Mean cross-entropy with the labels; with a teacher, mostly KL to its softened distribution.

    logits [b, c]; targets [b], -1 where a text has no label; teacher: its logits [b, c] (Hinton et al. 2015,
    section 2: the gradient of the softened term is scaled by T²), a row of NaN where it says nothing. An
    unlabelled text counts with a teacher only.
    """
    logits = logits.float()
    labelled = targets >= 0
    hard = functional.cross_entropy(
        logits, targets, reduction="none", ignore_index=-1, label_smoothing=label_smoothing
    )
    if teacher is None:
        return hard.sum() / labelled.sum().clamp(min=1)
    t = temperature
    taught = ~teacher.isnan().any(dim=-1)
    said = torch.where(taught[:, None], teacher.float(), 0.0)
    soft = functional.kl_div((logits / t).log_softmax(-1), (said / t).softmax(-1), reduction="none").sum(
        -1
    ) * (t * t)
    share = torch.where(labelled, teacher_weight, 1.0) * taught
    return (share * soft + (1 - share) * hard).mean()


def supervised_contrastive(
    vectors: torch.Tensor, targets: torch.Tensor, *, temperature: float
) -> torch.Tensor:
    """Texts of one class attract, others repel (Khosla et al. 2020, equation 2, L_out).

    vectors [b, d] of any length (normalised here); texts without another of their class in the batch, and
    unlabelled ones (-1), are no anchors.
    """
    unit = functional.normalize(vectors.float(), dim=-1)
    itself = torch.eye(len(unit), dtype=torch.bool, device=unit.device)
    similarity = (unit @ unit.T / temperature).masked_fill(itself, -1e9)
    log_share = similarity.log_softmax(dim=-1)  # [b, b]
    same = (targets[:, None] == targets[None]) & (targets >= 0)[:, None] & ~itself
    anchors = same.any(dim=-1)
    if not anchors.any():
        return vectors.sum() * 0.0
    per_anchor = -(log_share * same).sum(dim=-1)[anchors] / same.sum(dim=-1)[anchors]
    return per_anchor.mean()
