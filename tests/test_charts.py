"""Charts: the places of points against hand calculations."""

import re

from treesketch.charts import draw_chart


def test_a_line_goes_in_steps_over_decades() -> None:
    # 580 of 640 pixels across are two decades, 174 of 220 down are .02, which is four ticks of .005.
    chart = draw_chart({"a": [(1, 0.02), (10, 0.01), (100, 0.005)], "b": [(10, 0.0)]}, "of <two>")
    paths = re.findall(r'class="(line[^"]*)" d="([^"]*)"', chart)
    assert paths == [
        ("line line0", "M46.0 12.0H336.0V99.0H626.0V142.5"),
        ("line line1", "M336.0 186.0"),
        ("line line1 kept", "M336.0 186.0H626"),  # what the search ended with
    ]
    assert re.findall(r">([\d.,]+)</text>", chart) == ["0", "0.005", "0.01", "0.015", "0.02", "1", "10", "100"]
    assert 'aria-label="of &lt;two&gt;"' in chart


def test_a_sparkline_has_no_words() -> None:
    chart = draw_chart({"a": [(1, 0.5)], "none": [], "c": [(1, 0.0), (3000, 1.0)]}, "label", axes=False)
    assert "<text" not in chart and 'class="line line2"' in chart and 'class="line line1"' not in chart


def test_many_lines_are_told_apart() -> None:
    chart = draw_chart({str(i): [(1, 1), (10, 0.5)] for i in range(8)}, "label")
    assert len(set(re.findall(r'class="(line[^"]*)"', chart))) == 8
