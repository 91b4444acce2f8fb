"""The group's figure."""

from pathlib import Path

from matplotlib.figure import Figure as Drawing

from ams.plots import legend_above, panels
from ams_suite.drawn import save_drawn
from related.design_space.score_training import linear
from related.design_space.score_training.settings import Settings
from verdicts import Figure

SHOWN = "stiff"


def training_time(settings: Settings) -> Drawing:
    r"""What training leaves to a sampler, exact laws: a linear score per noise level, trained by
    gradient descent on a weighted denoising loss; stiff Gaussian. Above: KL(target $\|$ run) on
    exponential noise levels (lines) and the bound of three parts (dashed). Below: EDM's noise
    levels over exponential ones; below 1 EDM's are better.
    """
    drawing, (above, below) = panels(2)
    budget = max(settings.budgets)
    for color, weight in zip(("C0", "C1", "C2"), linear.WEIGHTS, strict=True):
        table = linear.divergences(SHOWN, weight, budget)["exponential"]
        above.loglog(linear.TRAINED, table[:, 0], "o-", color=color, ms=3, label=f"{weight} weight")
        above.loglog(linear.TRAINED, table[:, 1], "--", color=color, lw=0.8)
        below.semilogx(
            linear.TRAINED, linear.advantage(SHOWN, weight, budget), "o-", color=color, ms=3
        )
    above.set(ylabel=r"KL(target $\|$ run) (nats)", xlabel="steps of gradient descent")
    legend_above(above)
    below.axhline(1.0, color="black", lw=0.8)
    below.set(xlabel="steps of gradient descent", ylabel="KL: EDM's levels / exponential")
    return drawing


def figures(settings: Settings, folder: Path) -> list[Figure]:
    """Save the group's figure."""
    return save_drawn({training_time: ("N5", "N7a")}, folder, settings)
