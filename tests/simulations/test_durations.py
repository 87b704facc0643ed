import math

import numpy as np
import pytest

from autoscaler_simulations.durations import Deterministic, Empirical, Exponential, Hyperexponential, Lognormal
from autoscaler_simulations.durations_file import DurationsError

NUMBER = 400_000
MEASURED = np.array([0.0, 0.2, 0.5, 0.5, 1.3, 4.0])
ALL = [
    Deterministic(2.0),
    Exponential(0.2),
    Lognormal(300.0),
    Lognormal(0.2, scv=2.0),
    Hyperexponential(1.0, scv=4.0),
    Hyperexponential(0.1, scv=1.2),
    Empirical.of(MEASURED),
]
each_distribution = pytest.mark.parametrize("distribution", ALL, ids=repr)


@pytest.fixture
def written(tmp_path):
    def write(content, encoding="utf-8"):
        path = tmp_path / "durations.csv"
        path.write_bytes(content.encode(encoding))
        return str(path)

    return write


@each_distribution
def test_mean_of_many_draws_is_the_mean(distribution):
    drawn = distribution.draw(np.random.default_rng(7), NUMBER)

    assert len(drawn) == NUMBER
    assert drawn.mean() == pytest.approx(distribution.mean, abs=4 * drawn.std() / math.sqrt(NUMBER) + 1e-12)


@each_distribution
def test_variance_of_many_draws_is_that_of_the_scv(distribution):
    drawn = distribution.draw(np.random.default_rng(8), NUMBER)
    squares = (drawn - distribution.mean) ** 2

    assert squares.mean() == pytest.approx(distribution.scv * distribution.mean**2, abs=4 * squares.std() / math.sqrt(NUMBER) + 1e-12)


@each_distribution
def test_no_duration_is_negative(distribution):
    assert distribution.draw(np.random.default_rng(9), NUMBER).min() >= 0
    assert distribution.points(1000).min() >= 0


@each_distribution
def test_the_same_generator_draws_the_same(distribution):
    first, second = (distribution.draw(np.random.default_rng(3), 50) for _ in range(2))

    assert (first == second).all()


@each_distribution
def test_points_ascend_and_have_nearly_the_mean(distribution):
    points = distribution.points(1000)

    assert (np.diff(points) >= 0).all()
    assert points.mean() == pytest.approx(distribution.mean, rel=0.02)


@each_distribution
def test_points_are_the_quantiles_of_the_draws(distribution):
    drawn = distribution.draw(np.random.default_rng(10), NUMBER)
    middles = (np.arange(10) + 0.5) / 10

    assert np.quantile(drawn, middles, method="inverted_cdf") == pytest.approx(distribution.points(10), rel=0.02)


def test_an_empirical_distribution_draws_nothing_but_its_values():
    drawn = Empirical.of(MEASURED).draw(np.random.default_rng(1), 1000)

    assert set(drawn) == set(MEASURED)


@pytest.mark.parametrize(
    "content",
    ["0.5\n1.5\n4\n", "\ufeff0.5\r\n1.5\r\n\r\n4", "arrival_s, service_s,kind\n0,0.5,a\n1,1.5,b\n\n2,4,c\n", '"service_s"\n"0.5"\n1.5\n4\n'],
    ids=["plain", "windows", "table", "quoted"],
)
def test_durations_are_read_from_a_file(written, content):
    empirical = Empirical(file=written(content))

    assert (empirical.mean, list(empirical.points(3))) == (2.0, [0.5, 1.5, 4.0])
    assert empirical.scv == pytest.approx(Empirical.of(np.array([0.5, 1.5, 4.0])).scv)
    assert set(empirical.draw(np.random.default_rng(1), 100)) == {0.5, 1.5, 4.0}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "holds no durations; write one a line"),
        ("service_s\n", "holds no durations"),
        ("0\n0.0\n", "every duration is 0"),
        ("0.5\nsoon\n", ":2: 'soon' is no number"),
        ("seconds\n0.5\n", ":1: 'seconds' is no number"),
        ("0.5\n-1\n", ":2: -1 is no duration"),
        ("0.5\n\nnan\n", ":3: nan is no duration"),
        ("inf\n", ":1: inf is no duration"),
        ("0.5,1\n", ":1: '0.5,1' has 2 columns"),
        ("arrival_s,service_s\n1,2\n3\n", ":3: the row '3' ends before the column service_s"),
        ('"0.5\n', "unexpected end of data"),
    ],
)
def test_a_file_of_anything_else_is_refused_with_row_and_value(written, content, said):
    with pytest.raises(DurationsError) as caught:
        Empirical(file=written(content))

    assert said in str(caught.value)


def test_a_file_that_is_no_text_is_refused(written):
    with pytest.raises(DurationsError, match="utf-8"):
        Empirical(file=written("0,5 é", encoding="latin-1"))


def test_a_missing_file_and_a_folder_are_refused(tmp_path):
    for path in (tmp_path, tmp_path / "missing"):
        with pytest.raises(DurationsError, match="give a text file with one duration a line"):
            Empirical(file=str(path))
