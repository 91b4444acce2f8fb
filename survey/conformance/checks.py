"""What the survey says of each library, and of each defect: as shipped, with the fix, and derived a second time."""

from collections import Counter

from survey import by_file
from survey.conformance import defects, derivations, study
from survey.conformance.settings import Settings
from verdicts import Measurement, check

BY_FILE = tuple(library for library in by_file.LIBRARIES if library != "comfyui")
"""The libraries whose files have a public address; those of ComfyUI a user puts in place."""
THIRD_ORDER = ("diffusers_dpmpp_3m", "diffusers_edm_3m", "k_diffusion_3m")


def refuted_samplers(settings: Settings, library: str) -> Measurement:
    """Count the surveyed samplers of a library that the kit refutes; the detail names all that it does not hold."""
    reports = study.reports(settings, library)
    verdicts = Counter(report["verdict"] for _, report in reports)
    others = {row.name: report["why"] for row, report in reports if report["verdict"] != "holds"}
    return Measurement(value=verdicts["refuted"], n=len(reports), detail={"verdicts": dict(verdicts), "others": others})


def shipped(*names: str) -> Measurement:
    """Measure defects in the libraries as shipped; the largest effect counts."""
    effects = {name: defects.measured(name, fixed=False) for name in names}
    return Measurement(value=max(effects.values()), detail=dict(effects))


def fixed(*names: str) -> Measurement:
    """Measure defects with their fixes in memory; the least effect counts."""
    effects = {name: defects.measured(name, fixed=True) for name in names}
    return Measurement(value=min(effects.values()), detail=dict(effects))


@check("F9.refuted")
def refuted_samplers_by_file(settings: Settings) -> Measurement:
    """Count the refuted samplers of those whose code no package index has; raises for missing code."""
    counted = [refuted_samplers(settings, library) for library in BY_FILE]
    detail = {library: dict(one.detail) for library, one in zip(BY_FILE, counted, strict=True)}
    return Measurement(value=sum(one.value for one in counted), n=sum(one.n or 0 for one in counted), detail=detail)


@check("F11.shipped")
def order_of_reab_as_shipped(settings: Settings) -> Measurement:
    """Measure the order of azula's REABSampler of order 2."""
    return shipped("azula_reab")


@check("F11.fixed")
def order_of_reab_with_the_fix(settings: Settings) -> Measurement:
    """Measure the order of azula's REABSampler of order 2 with sigma at the end of a step."""
    return fixed("azula_reab")


@check("F12.shipped")
def order_of_third_order_multistep_as_shipped(settings: Settings) -> Measurement:
    """Measure the order of the steps of three implementations of DPM-Solver++(3M)."""
    return shipped(*THIRD_ORDER)


@check("F12.fixed")
def order_of_third_order_multistep_with_the_fix(settings: Settings) -> Measurement:
    """Measure the order of the steps of three implementations of DPM-Solver++(3M) with twice the last term."""
    return fixed(*THIRD_ORDER)


@check("F13.shipped")
def order_of_sde_third_order_as_shipped(settings: Settings) -> Measurement:
    """Measure the order of the mean's steps of sde-dpmsolver++ at solver_order 3."""
    return shipped("diffusers_sde_3m")


@check("F13.fixed")
def order_of_sde_third_order_with_the_fix(settings: Settings) -> Measurement:
    """Measure the order of the mean's steps of sde-dpmsolver++ at solver_order 3 with sign and factor right."""
    return fixed("diffusers_sde_3m")


@check("F14.shipped")
def order_of_ipndm_as_shipped(settings: Settings) -> Measurement:
    """Measure the order of IPNDMScheduler."""
    return shipped("diffusers_ipndm")


@check("F14.fixed")
def order_of_ipndm_with_the_fix(settings: Settings) -> Measurement:
    """Measure the order of IPNDMScheduler where its first step uses the network's output."""
    return fixed("diffusers_ipndm")


@check("F15.shipped")
def entries_not_finite_as_shipped(settings: Settings) -> Measurement:
    """Count the settings of UniPCMultistepScheduler, of two that its documentation offers, that end in NaN."""
    return shipped("diffusers_unipc_bh1", "diffusers_unipc_noise")


@check("F15.fixed")
def entries_not_finite_with_a_last_noise_level(settings: Settings) -> Measurement:
    """Count the settings of UniPCMultistepScheduler that end in NaN where the last noise level is not zero."""
    return shipped("diffusers_unipc_bh1_last", "diffusers_unipc_noise_last")


@check("F16.shipped")
def distance_of_ddim_as_shipped(settings: Settings) -> Measurement:
    """Measure W2 after 600 steps of diffusers's DDIMScheduler at linspace spacing."""
    return shipped("diffusers_ddim")


@check("F16.fixed")
def distance_of_ddim_with_the_fix(settings: Settings) -> Measurement:
    """Measure W2 after 600 steps that end where the next one starts."""
    return fixed("diffusers_ddim")


@check("F16.derived")
def distance_of_ddim_composed(settings: Settings) -> Measurement:
    """Compare W2 as shipped with W2 of 600 steps composed in closed form."""
    return Measurement(value=abs(shipped("diffusers_ddim").value - derivations.ddim_distance(600)))


@check("F17.shipped")
def distance_of_monai_ddim_as_shipped(settings: Settings) -> Measurement:
    """Measure W2 after 600 steps of MONAI's DDIMScheduler."""
    return shipped("monai_ddim")


@check("F17.fixed")
def distance_of_monai_ddim_with_the_fix(settings: Settings) -> Measurement:
    """Measure W2 after 600 steps that end where the next one starts."""
    return fixed("monai_ddim")


@check("F17.derived")
def distance_of_monai_ddim_composed(settings: Settings) -> Measurement:
    """Compare W2 as shipped with W2 of 600 steps composed in closed form."""
    return Measurement(value=abs(shipped("monai_ddim").value - derivations.ddim_distance(600)))


@check("F18.shipped")
def distance_of_monai_ddpm_as_shipped(settings: Settings) -> Measurement:
    """Measure W2 after 100 steps of MONAI's DDPMScheduler."""
    return shipped("monai_ddpm")


@check("F18.fixed")
def distance_of_monai_ddpm_with_the_fix(settings: Settings) -> Measurement:
    """Measure W2 after 100 steps that end where the next one starts."""
    return fixed("monai_ddpm")


@check("F18.derived")
def distance_of_monai_ddpm_composed(settings: Settings) -> Measurement:
    """Compare W2 as shipped with W2 of 100 steps composed in closed form."""
    return Measurement(value=abs(shipped("monai_ddpm").value - derivations.ddpm_distance(100)))


@check("F19.shipped")
def distance_of_monai_pndm_as_shipped(settings: Settings) -> Measurement:
    """Measure W2 after 200 steps of MONAI's PNDMScheduler."""
    return shipped("monai_pndm")


@check("F19.fixed")
def distance_of_monai_pndm_with_the_fix(settings: Settings) -> Measurement:
    """Measure W2 after 200 steps as long as the spacing of the timesteps."""
    return fixed("monai_pndm")


@check("F19.derived")
def distance_of_monai_pndm_from_diffusers(settings: Settings) -> Measurement:
    """Compare W2 with the fix with W2 of the same method in diffusers."""
    return Measurement(value=abs(fixed("monai_pndm").value - defects.measured("diffusers_pndm", fixed=False)))


@check("F20.shipped")
def noise_left_by_refiners_as_shipped(settings: Settings) -> Measurement:
    """Measure the noise that is left after 30 steps of refiners's Euler at trailing spacing."""
    return shipped("refiners_trailing")


@check("F20.fixed")
def noise_left_by_refiners_with_the_fix(settings: Settings) -> Measurement:
    """Measure the noise that is left after 30 steps of a schedule of 30 timesteps."""
    return fixed("refiners_trailing")


@check("F20.derived")
def noise_left_by_refiners_derived(settings: Settings) -> Measurement:
    """Compare the noise that is left with sigma over alpha at the thirty-first timestep."""
    return Measurement(value=abs(shipped("refiners_trailing").value - derivations.trailing_noise(30)))


@check("F21.shipped")
def distance_of_stochastic_heun_as_shipped(settings: Settings) -> Measurement:
    """Measure W2 after 80 steps of PhysicsNeMo's stochastic Heun with the VE schedule's own functions."""
    return shipped("physicsnemo_churn")


@check("F21.fixed")
def distance_of_stochastic_heun_with_the_fix(settings: Settings) -> Measurement:
    """Measure W2 after 80 steps where the noise that is added makes up the noise level."""
    return fixed("physicsnemo_churn")


@check("F22.shipped")
def order_of_variable_step_adams_bashforth_as_shipped(settings: Settings) -> Measurement:
    """Measure the order of the steps of diff-sampler's ipndm_v_sampler."""
    return shipped("diff_solvers_ipndm_v")


@check("F22.fixed")
def order_of_variable_step_adams_bashforth_with_the_fix(settings: Settings) -> Measurement:
    """Measure the order of the steps of ipndm_v_sampler with its parenthesis and last ratio right."""
    return fixed("diff_solvers_ipndm_v")


@check("F22.derived")
def degree_of_variable_step_adams_bashforth(settings: Settings) -> Measurement:
    """Derive the degree of polynomials that a step as coded integrates on uneven steps; -1 is not even a constant."""
    return Measurement(
        value=derivations.variable_step_degree(as_coded=True),
        detail={"with the fix": derivations.variable_step_degree(as_coded=False)},
    )


@check("F23.shipped")
def distance_of_ancestral_samplers_on_a_flow(settings: Settings) -> Measurement:
    """Measure W2 after 200 steps of ComfyUI's two samplers on a flow model's states; the least counts."""
    distances = {name: defects.measured(name, fixed=False) for name in ("comfyui_ddpm", "comfyui_res")}
    return Measurement(value=min(distances.values()), detail=dict(distances))


@check("F23.fixed")
def distance_of_ancestral_samplers_on_their_states(settings: Settings) -> Measurement:
    """Measure W2 after 200 steps of the two samplers on the states that their steps are made for."""
    return shipped("comfyui_ddpm_eps", "comfyui_res_eps")


@check("F24.shipped")
def euler_maruyama_raises_as_shipped(settings: Settings) -> Measurement:
    """Count whether score_sde_pytorch's Euler-Maruyama predictor raises on the probability flow."""
    return shipped("score_sde_flow")


@check("F24.fixed")
def euler_maruyama_raises_with_the_fix(settings: Settings) -> Measurement:
    """Count whether the predictor raises where the flow's diffusion is a tensor of zeros."""
    return fixed("score_sde_flow")


@check("F24.derived")
def distance_of_euler_maruyama_composed(settings: Settings) -> Measurement:
    """Compare W2 after 200 steps with the fix with W2 of 200 steps composed in closed form."""
    return Measurement(value=abs(fixed("score_sde_flow_distance").value - derivations.flow_euler_distance(200)))
