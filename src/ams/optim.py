r"""SGDF, stochastic gradient descent with a filtered gradient, as an optimiser of PyTorch.

Yao et al., arXiv 2311.02818 (2023; gamma = 1); its later form is arXiv 2603.06120 (2026; gamma =
1/2, rate 0.5). For each entry, with g the gradient, b = beta_1 and all averages 0 at the start,

    m_t = b m_{t-1} + (1 - b) g_t,  v_t = beta_2 v_{t-1} + (1 - beta_2) (g_t - m_t)^2,
    m^  = m_t / (1 - b^t),                         e   = g_t - m^,
    K  = v_t / (v_t + c_t (e^2 + eps)),  c_t = (1 + b) (1 - beta_2^t) / ((1 - b) (1 - b^{2t})),
    x_t = x_{t-1} - rate (m^ + K^gamma e) .

K is `P / (P + R)` with `P = v_t / c_t` for the variance of the average and `R = e^2 + eps` for that
of the gradient. What the gain is optimal for, and how many steps it takes, are the claims N10, N10d
and N10j.
"""

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor


class SGDF(torch.optim.Optimizer):
    """Filtered gradients; `weight_decay` w adds `w x` to the gradient. The defaults are those
    published now.

    `gamma=1` is the first version. Gradients are dense and real. `step` holds no Python number that
    changes, so that `torch.compile` traces it once. Raises ValueError for a hyperparameter out of
    range, RuntimeError for a sparse or complex gradient.
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 0.5,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        gamma: float = 0.5,
        weight_decay: float = 0.0,
    ) -> None:
        given: dict[str, Any] = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "gamma": gamma,
            "weight_decay": weight_decay,
        }
        _refuse_out_of_range(**given)
        super().__init__(params, given)

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Make one step; return what `closure`, which computes loss and gradients anew, returns."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            for x in group["params"]:
                if x.grad is not None:
                    x.sub_(self._filtered(x, group), alpha=group["lr"])
        return loss

    def _filtered(self, x: Tensor, group: dict[str, Any]) -> Tensor:
        """Return `m^ + K^gamma e` of a parameter, and move its averages."""
        if x.grad is None or x.grad.is_sparse or x.grad.is_complex():
            raise RuntimeError(
                f"SGDF: the gradient of a parameter of shape {tuple(x.shape)} is sparse or complex"
            )
        gradient = x.grad.add(x, alpha=group["weight_decay"]) if group["weight_decay"] else x.grad
        state, (b, b_squares) = self.state[x], group["betas"]
        if not state:
            state["step"] = torch.zeros((), dtype=torch.float64)
            state["average"], state["squares"] = torch.zeros_like(x), torch.zeros_like(x)
        step, average, squares = state["step"].add_(1), state["average"], state["squares"]
        average.lerp_(gradient, 1 - b)
        squares.lerp_((gradient - average).square_(), 1 - b_squares)
        corrected = average / (1 - b**step)
        error = gradient - corrected
        ratio = (1 + b) * (1 - b_squares**step) / ((1 - b) * (1 - b ** (2 * step)))
        gain = squares / error.square().add_(group["eps"]).mul_(ratio).add_(squares)
        return corrected.addcmul_(gain.pow_(group["gamma"]), error)


def _refuse_out_of_range(
    lr: float, betas: tuple[float, float], eps: float, gamma: float, weight_decay: float
) -> None:
    """Raise ValueError for a hyperparameter out of range."""
    in_range = {
        f"lr = {lr}: above 0": lr > 0,
        f"betas = {betas}: two numbers in [0, 1)": len(betas) == 2
        and all(0 <= b < 1 for b in betas),
        f"eps = {eps}: above 0": eps > 0,
        f"gamma = {gamma}: above 0": gamma > 0,
        f"weight_decay = {weight_decay}: at least 0": weight_decay >= 0,
    }
    if wrong := [text for text, right in in_range.items() if not right]:
        raise ValueError(f"SGDF: {wrong[0]}, is needed")
