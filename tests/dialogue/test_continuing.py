from __future__ import annotations

import numpy as np
import pytest

from chatbot.dialogue.continuing import SIZE, SUREST, Continuing, places, units
from chatbot.dialogue.weighing import Weighing, Weights
from chatbot.errors import BundleError


def learned() -> Continuing:
    weights = np.zeros(SIZE + 1, np.float32)
    weights[places("and")] = 4.0
    weights[-1] = -1.0
    return Continuing({"en": weights})


def test_words_characters_and_question_marks_are_units() -> None:
    assert units("And in a shop?") == ["and", "in", "a", "shop", "?"]
    assert units("那 Crane Duo 呢？") == ["那", "crane", "duo", "呢", "?"]
    assert len(places("")) == 1  # that nothing stands between beginning and end


def test_what_was_learned_to_ask_on_has_the_higher_odds() -> None:
    continuing = learned()
    assert continuing.log_odds("and in a shop?", "en") > 0 > continuing.log_odds("my parcel is late", "en")
    assert continuing.log_odds("and in a shop?", "zh") == 0
    assert continuing.log_odds("and", "en") <= SUREST


def test_it_travels_beside_the_weights(tmp_path) -> None:
    Weighing({"en": Weights(stay_on=1.5)}, learned()).save(tmp_path / "weighing.json")
    loaded = Weighing.load(tmp_path / "weighing.json")
    assert loaded.languages["en"].stay_on == 1.5
    assert loaded.continuing.log_odds("and", "en") == learned().log_odds("and", "en")
    np.save(tmp_path / "continuing" / "en.npy", np.zeros(3, np.float32))
    with pytest.raises(BundleError):
        Weighing.load(tmp_path / "weighing.json")
