"""x"""


def test_exchanged_samplers_break_j1() -> None:
    assert True
