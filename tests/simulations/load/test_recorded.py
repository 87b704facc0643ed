"""Take loads from files of either kind."""

import json

import pytest

from autoscaler_simulations.load.recorded import Recorded

_ANSWER = {"status": "success", "data": {"resultType": "matrix", "result": [{"values": [[0, "1"], [10, "2"], [30, "4"]]}]}}


@pytest.fixture
def csv(tmp_path):
    path = tmp_path / "load.csv"
    path.write_text("timestamp_s,requests\n0,10\n60,20\n120,0\n")
    return str(path)


def test_a_csv_file_is_a_load(csv):
    assert Recorded(file=csv).trace().length_seconds == 180.0


def test_a_saved_answer_is_a_load(tmp_path):
    path = tmp_path / "range.JSON"
    path.write_text(json.dumps(_ANSWER))
    assert Recorded(file=str(path), fill="last").trace().rates.tolist() == [1.0, 2.0, 2.0, 4.0]


def test_filling_a_csv_file_in_is_refused():
    with pytest.raises(ValueError, match="fill zero has no effect on a CSV file"):
        Recorded(file="load.csv", fill="zero")
