"""The list of the authors' configurations, `configurations.toml`, and what it says of each."""

import tomllib
from enum import StrEnum
from functools import cache
from pathlib import Path

from pydantic import NonNegativeFloat, PositiveFloat, PositiveInt

from verdicts.claims.check import Identifier
from verdicts.claims.schema import Profile
from verdicts.validation import Frozen

LISTED = Path(__file__).with_name("configurations.toml")


class Kind(StrEnum):
    """How a configuration samples: predictor and corrector on images, annealed steps, or graphs."""

    CORRECTOR = "corrector"
    ANNEALED = "annealed"
    GRAPH = "graph"


class StandIn(Frozen):
    """A group of this suite that stands for a configuration: `profile` is the smallest that runs
    it.
    """

    group: str
    profile: Profile
    what: str


class Configuration(Frozen):
    """One data set and sampler, as its configuration file has them; None and `unknown` are what is
    not known.

    `side` is pixels a side, or the largest number of nodes; `evaluations` are those of a noise
    level; `samples` are those of a published row. `here` names groups and `claims` claims that
    stand for it, `checkpoint` the file that a user needs. `processes` are those of node features
    and adjacency, each as "VP beta_min beta_max".
    """

    id: Identifier
    title: str
    kind: Kind
    sampler: str
    noise_levels: PositiveInt
    evaluations: PositiveInt
    side: PositiveInt | None = None
    snr: PositiveFloat | None = None
    scale_eps: NonNegativeFloat | None = None
    momentum_scale_eps: NonNegativeFloat | None = None
    largest: PositiveFloat | None = None
    processes: tuple[str, ...] = ()
    samples: PositiveInt | None = None
    architecture: str | None = None
    checkpoint: str = ""
    source: str
    unknown: tuple[str, ...] = ()
    here: tuple[str, ...] = ()
    claims: tuple[str, ...] = ()
    command: str
    hardware: str

    @property
    def budget(self) -> int:
        """Return the score evaluations of one sample."""
        return self.noise_levels * self.evaluations

    @property
    def is_of_graphs(self) -> bool:
        """Tell whether its samples are graphs."""
        return self.kind is Kind.GRAPH

    def stated(self) -> str:
        """Return the sampler with its values, in words."""
        values = {
            "snr": self.snr,
            "scale_eps": self.scale_eps,
            "scale_eps with momentum": self.momentum_scale_eps,
            "largest noise level": self.largest,
            "noise levels": self.noise_levels,
        }
        said = ", ".join(f"{name} {value:g}" for name, value in values.items() if value is not None)
        return f"{self.sampler}; {said}"


class Listed(Frozen):
    """The whole list."""

    stand_in: tuple[StandIn, ...]
    configuration: tuple[Configuration, ...]

    def of_images(self) -> list[Configuration]:
        """Return the configurations of images."""
        return [each for each in self.configuration if not each.is_of_graphs]

    def of_graphs(self) -> list[Configuration]:
        """Return the configurations of graphs."""
        return [each for each in self.configuration if each.is_of_graphs]

    def standing_for(self, configuration: Configuration) -> list[StandIn]:
        """Return the groups that stand for a configuration, in its order."""
        known = {each.group: each for each in self.stand_in}
        return [known[name] for name in configuration.here if name in known]


@cache
def listed() -> Listed:
    """Return the list. Raises ValidationError where an entry is wrong."""
    return Listed.model_validate(tomllib.loads(LISTED.read_text(encoding="utf-8")))
