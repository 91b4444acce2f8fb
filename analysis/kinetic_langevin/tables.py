"""The tables of K8 and K9: what every sampler needs on the held-out family, and what the paces needed on the other."""

from __future__ import annotations

from functools import partial

import numpy as np

from ams.samplers import tapered
from analysis.kinetic_langevin.baselines import ENTRANTS, at_pace, divergences, needed
from analysis.kinetic_langevin.family import Kind, arena
from analysis.kinetic_langevin.nfe_comparison import KINDS, STATIONED, evaluations
from analysis.kinetic_langevin.settings import Settings
from verdicts import Table

DEVELOPMENT_TARGETS = 6


def shown(counts: np.ndarray) -> str | float:
    """Return the geometric mean of evaluations, or how many targets are never reached."""
    never = int(np.isinf(counts).sum())
    return f"{never} of {len(counts)} never" if never else round(float(np.exp(np.log(counts).mean())), 1)


def held_out_table(settings: Settings) -> Table:
    """Evaluations of every sampler on the held-out family, a column a kind of damage."""
    kinds = [Kind(name) for name in settings.compared]
    names = [name for name in ENTRANTS if name not in STATIONED]
    return Table(
        id="uncooled_evaluations",
        caption=f"Evaluations to KL$/d$ = {settings.threshold:g} on the held-out family: geometric mean over "
        f"{settings.targets} targets, at most {settings.budget}; or on how many of them a sampler never arrives.",
        header=("sampler", *(str(kind) for kind in kinds)),
        rows=tuple((name, *(shown(evaluations(settings, kind, name)) for kind in kinds)) for name in names),
        claims=("K8", "K8a", "K8b", "K9", "K9d", "K9e"),
    )


def development_table(settings: Settings) -> Table:
    """Evaluations of TAPERED paces on the development family, with their memory and without."""
    small = settings.model_copy(update={"targets": DEVELOPMENT_TARGETS})
    kinds = KINDS[:3]
    fields = {kind: arena(small, kind, settings.development) for kind in kinds}
    rows = []
    for rate, most in settings.paces:
        for kept in (0.8, 0.0):
            entrant = at_pace(tapered(rate, most, kept))
            counts = [needed(partial(divergences, entrant, fields[kind]), settings.threshold, 640) for kind in kinds]
            rows.append((rate, most, kept, *(shown(count) for count in counts)))
    return Table(
        id="uncooled_development",
        caption="Where the TAPERED pace comes from: evaluations on the development family (6 targets, another seed) at "
        r"$u = u_0 q$, $e = \min(e_0, q)$, $q = \exp(-rh)$.",
        header=("$r$", "$u_0$", "$e_0$", *(str(kind) for kind in kinds)),
        rows=tuple(rows),
        claims=("K9", "K9e"),
    )


def tables(settings: Settings) -> list[Table]:
    """Return the group's tables."""
    return [held_out_table(settings), *([development_table(settings)] if settings.paces else [])]
