"""The schema of `config/<profile>.toml`: sizes and seeds by group, and what each group's job may use."""

from enum import StrEnum

from pydantic import Field, JsonValue, field_validator

from verdicts.claims.schema import Profile
from verdicts.validation import Frozen


class Device(StrEnum):
    """The class of device that a record was made on; another class, another record."""

    CPU = "cpu"
    CUDA = "cuda"


class Resources(Frozen):
    """What one job may count on: `threads`, memory in MiB, `runtime` in minutes.

    `shares`: how many jobs compute the group's study at most; any number gives the same results. "auto", or none: as
    its time in the kept run asks for (`run.study.shares_here`).
    """

    threads: int = Field(default=1, ge=1, strict=True)
    mem_mb: int = Field(default=2000, ge=1, strict=True)
    runtime: int = Field(default=30, ge=1, strict=True)
    shares: int | None = Field(default=None, ge=1, strict=True)

    @field_validator("shares", mode="before")
    @classmethod
    def _auto(cls, shares: object) -> object:
        return None if shares == "auto" else shares


class ProfileConfig(Frozen):
    """One profile: its device, whether notebooks are executed, resources and settings by group.

    `extends`: the profile whose configuration stands where this one says nothing.
    `every_picture`: figures as PNG and PDF too, beside SVG, which takes twice as long as SVG alone.
    `kept`: whether kept cells are read and audited; else all is computed.

    `groups[id]` is validated by the `Settings` of the group's module; it enters the key of the group's records.
    `every_picture` enters that of figures alone. The rest does not: it changes how a result is made, not which.
    """

    extends: Profile | None = None
    device: Device = Device.CPU
    one_process: bool = False
    notebooks: bool = True
    every_picture: bool = True
    kept: bool = True
    resources: dict[str, Resources] = {}  # noqa: RUF012 (a pydantic field)
    groups: dict[str, dict[str, JsonValue]] = {}  # noqa: RUF012 (a pydantic field)

    def settings_of(self, group: str) -> dict[str, JsonValue]:
        """Return the raw settings of a group (none: its defaults)."""
        return self.groups.get(group, {})

    def resources_of(self, group: str) -> Resources:
        """Return what the group's job may use (`default` stands for groups without an entry)."""
        return self.resources.get(group, self.resources.get("default", Resources()))

    def below(self, changes: "ProfileConfig") -> "ProfileConfig":
        """Return this configuration with what `changes` gives; settings of a group, or of its job, not there stay."""
        merged, above = (model.model_dump(exclude_unset=True, exclude={"profile"}) for model in (self, changes))
        for section in ("groups", "resources"):
            each = merged.pop(section, {})
            for name, settings in above.pop(section, {}).items():
                each[name] = {**each.get(name, {}), **settings}
            above[section] = each
        return ProfileConfig.model_validate({**merged, **above})


class Overlay(ProfileConfig):
    """What `VERDICTS_CONFIG` changes of a profile's configuration."""

    profile: Profile
