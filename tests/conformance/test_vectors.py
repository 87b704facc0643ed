"""The files of vectors: each is whole, and one without an adapter is named."""

import json

import pytest

pytestmark = pytest.mark.shared


def test_file_of_vectors_is_whole(vectors):
    content = json.loads(vectors.read_text())

    assert content["count"] == len(content["cases"]) > 0


def test_every_file_of_vectors_has_an_adapter(without_adapter):
    if without_adapter:
        pytest.skip(f"no adapter yet: {', '.join(without_adapter)}")
