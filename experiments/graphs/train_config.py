"""The settings of a training run: they fix it to the bit on one machine."""

from pydantic import Field

from verdicts.validation import Frozen


class TrainConfig(Frozen):
    """Settings of a training run on community_small. Raises ValidationError for settings that no
    run can have.
    """

    steps: int = Field(default=13_000, ge=1, description="Steps of Adam.")
    graphs: int = Field(default=500, ge=1, description="Graphs to train on, of our own generator.")
    batch: int = Field(default=16, ge=1, description="Graphs a step, drawn with replacement.")
    rate: float = Field(default=2e-3, gt=0, le=1, description="Largest learning rate.")
    average: float = Field(
        default=0.999, ge=0, lt=1, description="Decay of the average of the weights."
    )
    width: int = Field(
        default=32, ge=4, multiple_of=4, description="Width of both networks, in fours (the heads)."
    )
    layers: int = Field(
        default=5, ge=2, description="Layers of attention of the adjacency's network."
    )
    convolutions: int = Field(default=3, ge=1, description="Layers of the features' network.")
    seed: int = Field(
        default=1, ge=0, description="Of the graphs, the first weights and all noise."
    )
