from __future__ import annotations

import re

from chatbot.learning.charts import Bars, stacked_bars


def test_counts_are_marked_in_whole_numbers() -> None:
    def marks(*heights: float) -> list[str]:
        drawn = stacked_bars(
            [Bars("talks", heights)], words=["Monday"], title="", x_name="day", y_name="talks"
        )
        return re.findall(r'class="tick end"[^>]*>([^<]*)<', drawn)

    assert marks(1) == ["0", "1"]
    assert marks(3) == ["0", "1", "2", "3"]
    assert marks(0.5) == ["0", "0.1", "0.2", "0.3", "0.4", "0.5"]
    assert marks(400) == ["0", "100", "200", "300", "400"]
