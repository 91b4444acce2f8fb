"""Would the tests notice? Faults put into the code on purpose, one at a time, and what caught each.

The faults are declared by hand, in `tests/faults.toml`: a dropped factor, the norm of the momentum before its update
where the updated one is meant, noise of the wrong level, `m_{t-1}` for `m_t`. Tools that generate mutants (mutmut,
cosmic-ray) change operators and constants by syntax: they neither know these faults, which a person makes who reads a
paper, nor that `min(u, 1/2)` and `min(u, 3/5)` are equally valid samplers, and would bury the few that matter in
thousands that mean nothing.
"""
