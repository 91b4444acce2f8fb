"""The schema of `config/<profile>.yaml`: sizes and seeds by group, and what each group's job may use."""

from __future__ import annotations

from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field, JsonValue


class Device(StrEnum):
    """The class of device that a record was made on; another class, another record."""

    CPU = "cpu"
    CUDA = "cuda"


class Resources(BaseModel):
    """What one job may count on: `threads`, memory in MiB, `runtime` in minutes (as Snakemake has it)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    threads: int = Field(default=1, ge=1)
    mem_mb: int = Field(default=2000, ge=1)
    runtime: int = Field(default=30, ge=1)


class ProfileConfig(BaseModel):
    """One profile: its device, whether notebooks are executed, resources and settings by group.

    `pdf_figures`: figures as PDF too, beside SVG and PNG, which takes as long as those two together.

    `groups[id]` is validated by the `Settings` of the group's module; it enters the key of the group's records.
    The rest does not: it changes how a result is made, not which.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    device: Device = Device.CPU
    one_process: bool = False
    notebooks: bool = True
    pdf_figures: bool = True
    resources: dict[str, Resources] = {}
    groups: dict[str, dict[str, JsonValue]] = {}

    def settings_of(self, group: str) -> dict[str, JsonValue]:
        """Return the raw settings of a group (none: its defaults)."""
        return self.groups.get(group, {})

    def resources_of(self, group: str) -> Resources:
        """Return what the group's job may use (`default` stands for groups without an entry)."""
        return self.resources.get(group, self.resources.get("default", Resources()))
