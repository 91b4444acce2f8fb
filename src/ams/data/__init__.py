"""Real data: a registry of files, where each is looked for, and loaders that trust no byte before
its checksum.

`fetch(name)` gives a file's place; `images(name)`, `graphs(name)`, `smiles(name)`, `volume(name)`
and `weights(name)` what it holds; `digits()` the set that every installation holds. `load_arrays`,
`load_array`, `load_graphs` and `load_weights` read bytes that no registry vouches for: they run
nothing, write nothing, bound what they allocate.
"""

# ruff: noqa: F401
# mypy: implicit-reexport

from ams.data.arrays import load_array, load_arrays
from ams.data.checkpoints import load_weights
from ams.data.files import fetch, read
from ams.data.graphlists import Graph, load_graphs
from ams.data.loaders import Images, digits, graphs, images, smiles, weights
from ams.data.registry import (
    DATASETS,
    GRAPHS,
    MOLECULES,
    VOLUMES,
    WEIGHTS,
    Dataset,
    Entry,
    File,
    registered,
)
from ams.data.volumes import volume
