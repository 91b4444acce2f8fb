"""What the survey says of each library, and of each defect: as shipped, with the fix, and derived a second time."""

from collections import Counter
from collections.abc import Sequence

from survey import libraries
from survey.conformance import defects, derivations, study
from survey.conformance.settings import Settings
from verdicts import Measurement

BY_FILE = tuple(library for library in libraries.LOADED if library != "comfyui")
"""The libraries whose files have a public address; those of ComfyUI a user puts in place."""
THIRD_ORDER = ("diffusers_dpmpp_3m", "diffusers_edm_3m", "k_diffusion_3m")


def refuted_samplers(settings: Settings, library: str) -> Measurement:
    """Count the surveyed samplers of a library that the kit refutes; the detail names all that it does not hold."""
    reports = study.reports(settings, library)
    verdicts = Counter(report["verdict"] for _, report in reports)
    others = {row.name: report["why"] for row, report in reports if report["verdict"] != "holds"}
    return Measurement(value=verdicts["refuted"], n=len(reports), detail={"verdicts": dict(verdicts), "others": others})


def shipped(names: Sequence[str]) -> Measurement:
    """Measure defects in the libraries as shipped; the largest effect counts."""
    effects = {name: defects.measured(name, fixed=False) for name in names}
    return Measurement(value=max(effects.values()), detail=dict(effects))


def fixed(names: Sequence[str]) -> Measurement:
    """Measure defects with their fixes in memory; the least effect counts."""
    effects = {name: defects.measured(name, fixed=True) for name in names}
    return Measurement(value=min(effects.values()), detail=dict(effects))


def refuted_samplers_by_file(settings: Settings) -> Measurement:
    """Count the refuted samplers of those whose code no package index has; raises for missing code."""
    return _refuted_samplers_of(settings, BY_FILE)


def refuted_samplers_of_more(settings: Settings) -> Measurement:
    """Count the refuted samplers of more repositories, at their defaults; raises for missing code."""
    return _refuted_samplers_of(settings, tuple(libraries.MORE))


def _refuted_samplers_of(settings: Settings, libraries: Sequence[str]) -> Measurement:
    counted = [refuted_samplers(settings, library) for library in libraries]
    detail = {library: dict(one.detail) for library, one in zip(libraries, counted, strict=True)}
    return Measurement(value=sum(one.value for one in counted), n=sum(one.n or 0 for one in counted), detail=detail)


def distance_of_ddim_composed(settings: Settings) -> Measurement:
    """Compare W2 as shipped with W2 of 600 steps composed in closed form."""
    return Measurement(value=abs(shipped(["diffusers_ddim"]).value - derivations.ddim_distance(600)))


def distance_of_monai_ddim_composed(settings: Settings) -> Measurement:
    """Compare W2 as shipped with W2 of 600 steps composed in closed form."""
    return Measurement(value=abs(shipped(["monai_ddim"]).value - derivations.ddim_distance(600)))


def distance_of_monai_ddpm_composed(settings: Settings) -> Measurement:
    """Compare W2 as shipped with W2 of 100 steps composed in closed form."""
    return Measurement(value=abs(shipped(["monai_ddpm"]).value - derivations.ddpm_distance(100)))


def distance_of_monai_pndm_from_diffusers(settings: Settings) -> Measurement:
    """Compare W2 with the fix with W2 of the same method in diffusers."""
    return Measurement(value=abs(fixed(["monai_pndm"]).value - defects.measured("diffusers_pndm", fixed=False)))


def noise_left_by_refiners_derived(settings: Settings) -> Measurement:
    """Compare the noise that is left with sigma over alpha at the thirty-first timestep."""
    return Measurement(value=abs(shipped(["refiners_trailing"]).value - derivations.trailing_noise(30)))


def degree_of_variable_step_adams_bashforth(settings: Settings) -> Measurement:
    """Derive the degree of polynomials that a step as coded integrates on uneven steps; -1 is not even a constant."""
    return Measurement(
        value=derivations.variable_step_degree(as_coded=True),
        detail={"with the fix": derivations.variable_step_degree(as_coded=False)},
    )


def distance_of_ancestral_samplers_on_a_flow(settings: Settings) -> Measurement:
    """Measure W2 after 200 steps of ComfyUI's two samplers on a flow model's states; the least counts."""
    distances = {name: defects.measured(name, fixed=False) for name in ("comfyui_ddpm", "comfyui_res")}
    return Measurement(value=min(distances.values()), detail=dict(distances))


def distance_of_euler_maruyama_composed(settings: Settings) -> Measurement:
    """Compare W2 after 200 steps with the fix with W2 of 200 steps composed in closed form."""
    return Measurement(value=abs(fixed(["score_sde_flow_distance"]).value - derivations.flow_euler_distance(200)))
