"""The suite of policies takes a stranger's policy too: it finds it, makes it, and names what it breaks."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

_ROOT = Path(__file__).resolve().parents[2]
_POLICY = '''
from dataclasses import dataclass
from math import ceil

from autoscaler.model import Json, Metric, Observation, Positive, Ratio, Recommendation


@dataclass(frozen=True, slots=True, kw_only=True)
class Stranger:
    """Want a process for so much of a reading."""

    metric: Metric
    each: Positive
    share: Ratio = 0.5

    def recommend(self, observation: Observation, memory: Json) -> Recommendation:
        wanted = {wanted}
        return Recommendation(wanted, f"{{wanted}} for {{self.each:g}} each")
'''

# What is found is not made small: that would take most of the time, and here only the test's name counts.
_FIRST_FIND = """
from hypothesis import Phase, settings

settings.register_profile("first_find", deadline=None, database=None, phases=[Phase.generate])
"""


def run_suite(folder, wanted):
    """Install a package with one policy in a folder of its own, and run the suite on it."""
    package = folder / "acme-1.0.dist-info"
    package.mkdir()
    (package / "METADATA").write_text("Metadata-Version: 2.1\nName: acme\nVersion: 1.0\n")
    (package / "entry_points.txt").write_text("[autoscaler.policies]\nstranger = acme_policy:Stranger\n")
    (folder / "acme_policy.py").write_text(_POLICY.format(wanted=wanted))
    (folder / "first_find.py").write_text(_FIRST_FIND)
    quick = ("-q", "--assert=plain", "--no-cov", "-pno:cacheprovider", "-pno:xdist", "-pfirst_find", "--hypothesis-profile=first_find")
    command = [sys.executable, "-m", "pytest", *quick, "-k", "stranger", "tests/contracts/test_policies.py"]
    return subprocess.run(command, cwd=_ROOT, env=os.environ | {"PYTHONPATH": str(folder)}, capture_output=True, text=True, check=False, timeout=100)


def test_good_policy_of_a_stranger_passes(tmp_path):
    result = run_suite(tmp_path, "ceil(min(1e6, max(0.0, observation.value(self.metric)) / self.each))")

    assert result.returncode == 0, result.stdout
    assert "6 passed" in result.stdout


@pytest.mark.parametrize(
    ("wanted", "failed"),
    [
        ("ceil(observation.readings[self.metric].value)", "test_missing_readings_are_missing_and_not_zero"),
        ("min(9.0, observation.value(self.metric))", "test_any_readings_get_an_answer_with_a_reason"),
    ],
)
def test_bad_policy_of_a_stranger_fails(tmp_path, wanted, failed):
    result = run_suite(tmp_path, wanted)

    assert result.returncode == 1, result.stdout
    assert failed in result.stdout
