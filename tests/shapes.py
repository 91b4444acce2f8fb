"""The type checker of the tests, for jaxtyping's import hook: an int is a float."""

from beartype import BeartypeConf, beartype

checked = beartype(conf=BeartypeConf(is_pep484_tower=True))
