"""Give the tests of this folder a formation of every backend: real ones, and made-up APIs of what cannot run here."""

from tests.heroku_api import connect_heroku  # noqa: F401 - fixtures
from tests.kubernetes_api import cluster, cluster_certificates, cluster_reach, connect_kubernetes  # noqa: F401 - fixtures
from tests.local_formation import marker, no_child_outlives_its_test, stage  # noqa: F401 - fixtures
from tests.nomad_api import connect_nomad  # noqa: F401 - fixtures
from tests.platform_api import connect_http, scalingo  # noqa: F401 - fixtures
from tests.supervisors import connect_command, make_manager  # noqa: F401 - fixtures
from tests.swarm_nodes import connect_swarm, one_node  # noqa: F401 - fixtures
from tests.systemd_machines import machines, user_manager  # noqa: F401 - fixtures
