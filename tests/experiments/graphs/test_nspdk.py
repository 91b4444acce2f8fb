"""The NSPDK kernel against features written out by hand, and EDeN's values for molecules."""

import numpy as np
import pytest

from experiments.graphs.molecules.nspdk import Molecule, nspdk_kernel

ETHANOL = Molecule(("C", "C", "O"), ((0, 1, 1), (1, 2, 1)))
ETHANAL = Molecule(("C", "C", "O"), ((0, 1, 1), (1, 2, 2)))
METHANE, WATER = Molecule(("C",), ()), Molecule(("O",), ())
BENZENE = Molecule(("C",) * 6, ((0, 1, 1), (1, 2, 1), (2, 3, 1), (3, 4, 1), (4, 5, 1), (0, 5, 1)))


def test_single_atoms_share_a_feature_or_none():
    np.testing.assert_allclose(nspdk_kernel([METHANE, WATER, METHANE]), [[1, 0, 1], [0, 1, 0], [1, 0, 1]], atol=1e-15)


def test_two_atoms_by_hand():
    """CC and CO. At (0, 0): atoms of degree 1, CC has {pair C-C: 2, C: 2}, CO {pair C-C: 1, C: 1, pair O-O: 1, O: 1}.

    So their part is (2 + 2) / (sqrt 8 sqrt 4) = 1/sqrt 2, and at (0, 1) CC has {C-C: 2, C: 2}, CO {C-O: 2, C: 1, O: 1}:
    2 / (sqrt 8 sqrt 6). At radius 1, (1, 0) and (1, 1), nothing is common. Each of the four counts a quarter.
    """
    ethane, methanol = Molecule(("C", "C"), ((0, 1, 1),)), Molecule(("C", "O"), ((0, 1, 1),))
    expected = (1 / np.sqrt(2) + 2 / np.sqrt(48)) / 4
    assert nspdk_kernel([ethane, methanol])[0, 1] == pytest.approx(expected, rel=1e-12)


def test_it_is_a_kernel_of_graphs_not_of_their_numbering():
    turned = Molecule(("O", "C", "C"), ((2, 1, 1), (0, 1, 1)))
    k = nspdk_kernel([ETHANOL, turned, ETHANAL, BENZENE])
    np.testing.assert_allclose(np.diagonal(k), 1.0, rtol=1e-12)
    assert k[0, 1] == pytest.approx(1.0, rel=1e-12) and k[0, 2] < 0.9
    assert np.linalg.eigvalsh(k).min() > -1e-12


def test_fragments_do_not_see_each_other():
    """Two separate methanes have the features of one, twice as often: the same vector."""
    pair = Molecule(("C", "C"), ())
    assert nspdk_kernel([pair, METHANE])[0, 1] == pytest.approx(1.0, rel=1e-12)


def test_a_long_chain_is_seen_as_far_as_four_bonds():
    """A change six bonds away from every atom of one end leaves that end's features alone: the kernel stays below 1."""
    chain = Molecule(("C",) * 14, tuple((u, u + 1, 1) for u in range(13)))
    tail = Molecule(("C",) * 13 + ("O",), chain.bonds)
    longer = Molecule(("C",) * 15, tuple((u, u + 1, 1) for u in range(14)))
    k = nspdk_kernel([chain, tail, longer])
    assert k[0, 2] > k[0, 1] > 0.5


def test_values_of_eden():
    """EDeN 0.3.1350, complexity 4, with 60 bits for its hashes (none collides): recorded, to 1e-12."""
    k = nspdk_kernel([ETHANOL, ETHANAL, BENZENE])
    assert (k[0, 1], k[0, 2], k[1, 2]) == pytest.approx(
        (0.44642857142857134, 0.08443869154703594, 0.08443869154703594), rel=1e-12
    )
