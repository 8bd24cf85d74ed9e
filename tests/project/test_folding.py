"""What is typed finds what is written, whatever the accents, the case and the signs."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tiktok_clone.common.folding import fold


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("café", "CAFE"),
        ("cafe\u0301", "café"),
        ("Straße", "STRASSE"),
        ("ﬁn", "FIN"),
        ("İstanbul", "istanbul"),
        ("Ωμέγα", "ωμεγα"),
        ("don’t", "DON'T"),
        ("dont", "don't"),
        ("می\u200cخواهم", "میخواهم"),
        ("１２３", "123"),
        ("mia.waves_92", "Mia Waves 92"),
        ("sea/wave", "sea wave"),
        ("well-known", "well known"),
        ("#ocean,sun", "ocean sun"),
        ("a\x00b", "a b"),
        ("ocean🌊", "ocean"),
        ("  two \n words ", "two words"),
    ],
)
def test_they_fold_to_the_same(one: str, other: str) -> None:
    assert fold(one) == fold(other) != ""


@given(st.text())
def test_folding_again_changes_nothing_and_leaves_only_words(text: str) -> None:
    folded = fold(text)
    assert fold(folded) == folded
    assert all(char == " " or unicodedata.category(char)[0] in "LMN" for char in folded)
    assert folded == " ".join(folded.split())
