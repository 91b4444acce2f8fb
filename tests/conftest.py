"""What all tests share."""

from __future__ import annotations

from hypothesis import Phase, settings

# For `ams mutate`: that an example fails is enough, the smallest one is not looked for
settings.register_profile("unshrunk", phases=[Phase.explicit, Phase.generate], database=None)
