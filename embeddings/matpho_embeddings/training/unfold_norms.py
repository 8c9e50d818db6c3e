"""Gives a network whose batch norms were folded into its convolutions working ones again, so that it can learn."""

from __future__ import annotations

from typing import Any

LEAST_VARIANCE = 1e-6


def norms_are_folded(model: Any, torch: Any) -> bool:
    """Whether every batch norm of a model only adds its bias: what is left of weights that come from an int8 export."""
    norms = [part for part in model.modules() if isinstance(part, torch.nn.BatchNorm2d)]
    return bool(norms) and all(
        not part.running_mean.any()
        and bool((part.weight == 1).all())
        and bool((part.running_var - 1).abs().max() < 0.01)
        for part in norms
    )


def unfold_norms(model: Any, images: Any, torch: Any) -> None:
    """Measures what each batch norm sees on `images` (n, 3, height, width) and sets it to say the same as before.

    A folded norm passes x + bias. With the mean m and the deviation s of x over the pictures it becomes
    ((x - m) / s) * s + (bias + m): the same number, but now training, which normalises by each batch's own mean and
    deviation, starts from the network that was given instead of destroying it.
    """
    norms = [part for part in model.modules() if isinstance(part, torch.nn.BatchNorm2d)]
    seen: dict[Any, tuple[Any, Any]] = {}

    def measure(norm: Any, given: tuple[Any, ...]) -> None:
        values = given[0].float()
        seen[norm] = (values.mean(dim=(0, 2, 3)), values.var(dim=(0, 2, 3), unbiased=False).clamp(min=LEAST_VARIANCE))

    hooks = [norm.register_forward_pre_hook(measure) for norm in norms]
    model.eval()
    with torch.no_grad():
        model(images)
    for hook in hooks:
        hook.remove()
    with torch.no_grad():
        for norm, (mean, variance) in seen.items():
            scale = (norm.running_var + norm.eps).rsqrt() * norm.weight
            norm.bias.add_((mean - norm.running_mean) * scale)
            norm.weight.copy_(scale * (variance + norm.eps).sqrt())
            norm.running_mean.copy_(mean)
            norm.running_var.copy_(variance)
