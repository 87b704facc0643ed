"""The files of vectors: each is whole, and one without an adapter is named."""

import json

import pytest

from tests.conformance.exclusions import EXCLUSIONS, is_left_out

pytestmark = pytest.mark.shared


def test_file_of_vectors_is_whole(vectors):
    content = json.loads(vectors.read_text())

    assert content["count"] == len(content["cases"]) > 0


def test_file_of_vectors_has_an_adapter(vectors, adapters):
    if vectors.stem not in adapters:
        pytest.skip(f"{vectors.name} has no adapter")


def test_fewer_than_one_case_in_twenty_is_left_out(vectors, adapters):
    files = [path for path in vectors.parent.glob("*.json") if path.stem in adapters]
    cases = [(path.stem, case) for path in files for case in json.loads(path.read_text())["cases"]]

    assert sum(is_left_out(*case) for case in cases) < 0.05 * max(20, len(cases))


def test_what_is_left_out_has_a_reason():
    assert all(reason for _, reason, _ in EXCLUSIONS)
