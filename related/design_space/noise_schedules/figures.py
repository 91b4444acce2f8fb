"""The group's figure."""

from pathlib import Path

from matplotlib.figure import Figure as Drawing

from ams.plots import legend_above, panels, ticks
from ams_suite.drawn import save_drawn
from related.design_space.noise_schedules import study
from related.design_space.noise_schedules.settings import Settings
from verdicts import Figure


def noise_schedules(settings: Settings) -> Drawing:
    r"""Noise schedules of the variance-exploding sampler, exact laws. Above: KL(target $\|$ run)
    (filled) and its path bound (open), exact scores, stiff target; joined where four budgets or
    more show a slope. The schedule that is best for the bound has the largest divergence. Below: KL
    of EDM's noise levels over the exponential ones' with a wrong score; below 1, EDM's are better.
    """
    drawing, (above, below) = panels(2, 2.3)
    budgets, joined = settings.budgets, "-" if len(settings.budgets) > 3 else ""
    for name, color, marker in zip(study.SCHEDULES, ("C0", "C1", "C2"), "os^", strict=True):
        runs = [
            study.outcomes("stiff", name, count, settings.sizes)[study.SHOWN] for count in budgets
        ]
        exact = [run[settings.sizes.index(0.0)] for run in runs]
        style = {"color": color, "marker": marker, "ls": joined}
        above.loglog(budgets, [end.bound for end in exact], mfc="white", **style)
        above.loglog(budgets, [end.forward for end in exact], label=name, **style)
    above.loglog([], [], "o", color="0.4", mfc="white", label="path bound of each")
    above.set(xlabel="steps $N$", ylabel=r"KL(target $\|$ run), nats")
    ticks(above, budgets)
    legend_above(above)
    sizes = [size for size in settings.sizes if size]
    for number, target in enumerate(study.TARGETS, start=3):
        for count, line in ((min(budgets), ":"), (max(budgets), "-")):
            place = ("EDM", "exponential", target, study.SHOWN)
            ratios = [study.kl_ratio(settings, *place, size, count) for size in sizes]
            below.loglog(
                sizes,
                ratios,
                color=f"C{number}",
                ls=line,
                marker=".",
                label=target if line == "-" else None,
            )
    below.loglog([], [], color="0.4", ls=":", label=f"$N = {min(budgets)}$ (else {max(budgets)})")
    below.axhline(1.0, color="black", lw=1.0)
    below.set(
        xlabel="error of the predicted noise", ylabel="KL: EDM / exponential", ylim=(0.55, 2.3)
    )
    below.set_yticks([0.8, 1.0, 1.5, 2.0], labels=["0.8", "1", "1.5", "2"])
    below.yaxis.minorticks_off()
    legend_above(below)
    return drawing


def figures(settings: Settings, folder: Path) -> list[Figure]:
    """Draw the group's figures."""
    return save_drawn({noise_schedules: ("N2", "N2b")}, folder, settings)
