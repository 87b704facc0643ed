from autoscaler.demo.chart import draw_chart
from autoscaler.demo.usage import Moment


def test_no_moments_draw_nothing():
    assert draw_chart([], 10.0, "#") == []


def test_each_level_is_a_line_and_time_goes_right():
    lines = draw_chart([Moment(0.0, 1, "none"), Moment(30.0, 2, "scale_out")], 60.0, "#")
    assert lines[0] == "  2 |" + " " * 30 + "#" * 30
    assert lines[1] == "  1 |" + "#" * 60
    assert lines[3].endswith("60 s")


def test_a_short_peak_is_not_lost_between_columns():
    moments = [Moment(float(second), 5 if second == 77 else 1, "none") for second in range(600)]
    assert draw_chart(moments, 600.0, "#")[0] == "  5 |" + " " * 7 + "#"


def test_a_type_that_never_ran_has_only_an_axis():
    assert [line.strip()[0] for line in draw_chart([Moment(0.0, 0, "none")], 10.0, "#")] == ["+", "0"]
