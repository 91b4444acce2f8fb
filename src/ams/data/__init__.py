"""Real data: a registry of files, where each is looked for, and loaders that trust no byte before its checksum.

`fetch(name)` gives a file's place; `images(name)`, `graphs(name)`, `smiles(name)` and `weights(name)` what it holds;
`digits()` the set that every installation holds. `load_arrays`, `load_array`, `load_graphs` and `load_weights` read
bytes that no registry vouches for: they run nothing, write nothing, and bound what they allocate.
"""

from ams.data.arrays import load_array as load_array, load_arrays as load_arrays
from ams.data.checkpoints import load_weights as load_weights
from ams.data.files import fetch as fetch, read as read
from ams.data.graphlists import Graph as Graph, load_graphs as load_graphs
from ams.data.loaders import (
    Images as Images,
    digits as digits,
    graphs as graphs,
    images as images,
    smiles as smiles,
    weights as weights,
)
from ams.data.registry import (
    DATASETS as DATASETS,
    GRAPHS as GRAPHS,
    MOLECULES as MOLECULES,
    WEIGHTS as WEIGHTS,
    Dataset as Dataset,
    File as File,
    GraphList as GraphList,
    MoleculeList as MoleculeList,
    Weights as Weights,
    registered as registered,
)
