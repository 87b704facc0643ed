"""Give the tests of this folder a local formation, and a made-up cluster."""

from tests.kubernetes_api import cluster, cluster_certificates  # noqa: F401 - fixtures
from tests.local_formation import marker, no_child_outlives_its_test, stage  # noqa: F401 - fixtures
