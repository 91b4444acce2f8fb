"""More public repositories of samplers, at their defaults: `SAMPLERS` of each module, by repository and sampler.

An import adds all to `samplercheck.adapters.OTHERS`, so that `ams conform openai/guided-diffusion:p_sample_loop` tests
one. `survey.more.repository` says where the files lie.
"""

from samplercheck import adapters
from survey.more import images, media, structures
from survey.more.repository import adapter

SAMPLERS = images.SAMPLERS | media.SAMPLERS | structures.SAMPLERS
adapters.OTHERS.update({name: adapter(name, samplers) for name, samplers in SAMPLERS.items()})
