"""Chemical formulas: what is one, what it holds, and that equal ones are written alike."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.catalogue.formulas import ELEMENTS, find_composition, find_symbol


@pytest.mark.parametrize(
    ("written", "hill"),
    [
        ("Fe2O3", "Fe2O3"),
        ("O3Fe2", "Fe2O3"),
        ("Fe₂O₃", "Fe2O3"),
        ("C6 H12 O6", "C6H12O6"),
        ("Ca(OH)2", "CaH2O2"),
        ("[Co(NH3)6]Cl3", "Cl3CoH18N6"),
        ("CH3CH2OH", "C2H6O"),
        ("C9H13N", "C9H13N"),
        ("LaB6", "B6La"),
        ("CO", "CO"),
        ("Co", "Co"),
        ("D2O", "D2O"),
        ("La0.7Sr0.3MnO3", "La0.7MnO3Sr0.3"),
        ("CuSO4·5H2O", "CuH10O9S"),
        ("CuSO4.5H2O", "CuH10O9S"),
        ("CuSO4 * 5 (H2O)", "CuH10O9S"),
        ("Na2SO4.0.5H2O", "HNa2O4.5S"),
        ("La1-xSrxMnO3", None),
        ("YBa2Cu3O7-δ", None),
        ("Bi2Sr2CaCu2O8+d", None),
        ("(LaxSr)2O", None),
    ],
)
def test_formulas_in_hills_order(written: str, hill: str | None) -> None:
    composition = find_composition(written)
    assert composition is not None
    assert composition.hill == hill


@pytest.mark.parametrize(
    "written",
    ["", "water", "lysozyme", "None", "Xx2", "SiO2/Si", "Fe2+", "NaCl (aq)", "()", "(Fe", "Fe)", "(2Fe)3", "Fe·", "7",
     "((((((((H))))))))", "H" * 201],
)  # fmt: skip
def test_what_is_no_formula(written: str) -> None:
    assert find_composition(written) is None


def test_elements_of_an_open_formula_are_known() -> None:
    composition = find_composition("La1-xSrxMnO3")
    assert composition is not None
    assert composition.elements == {"La", "Sr", "Mn", "O"}


def test_symbols_are_found_in_any_case() -> None:
    assert find_symbol("fe") == find_symbol("FE") == "Fe"
    assert find_symbol("iron") is None
    assert len(ELEMENTS) == 118 + 2


@given(st.dictionaries(st.sampled_from(ELEMENTS), st.integers(1, 99), min_size=1, max_size=6))
def test_the_order_does_not_matter_and_hills_is_itself(counts: dict[str, int]) -> None:
    parts = [f"{symbol}{count}" for symbol, count in counts.items()]
    shuffled = sorted(parts, reverse=True)
    one, other = find_composition("".join(parts)), find_composition("".join(shuffled))
    assert one is not None
    assert one == other
    assert one.elements == counts.keys()
    assert one.hill is not None
    assert find_composition(one.hill) == one


@given(st.text(alphabet="FeOHCu()[]0123456789.·*-+xδ ", max_size=30) | st.text(max_size=20))
def test_any_text_is_a_formula_or_not(text: str) -> None:
    find_composition(text)
