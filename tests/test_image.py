"""Build the image with a real Docker Engine that has no network, from a base made of this Python, and use it."""

import ctypes
import json
import re
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import zipfile
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import Distribution, distribution
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

import autoscaler
from autoscaler.cli.main import program
from tests.api_stub import closing
from tests.kubernetes_api import RESOURCES, TOKEN, KubernetesApi, User, cluster_certificates
from tests.swarm_nodes import missing, switched_on
from tests.systemd_machines import run

__all__ = ["cluster_certificates"]

pytestmark = pytest.mark.server

_ROOT = Path(__file__).resolve().parent.parent
_SITE = Path(sysconfig.get_path("purelib"))
_STANDARD_LIBRARY = Path(sysconfig.get_path("stdlib"))
# Of the standard library, what no program of ours asks for.
_LEFT_OUT = {"site-packages", "dist-packages", "test", "idlelib", "tkinter", "ensurepip", "lib2to3", "turtledemo", "EXTERNALLY-MANAGED"}
_UNUSED = re.compile(r"_tkinter|^config-|\.opt-[12]\.pyc$")
# Of the packages, what nothing here asks for, and what would take as long to install as all else.
_UNPACKED = re.compile(r"(^|/)tests/|^numpy(\.libs)?/|^pygments/(lexers|styles)/|\.pyc$|^\.\./")
_CONFIGURATION = """\
interval: 1s
backend: {kubernetes: {namespace: shop}}
formation: {web: {minimum: 2, maximum: 4}}
"""
_NEW_NETWORK = 0x40000000  # setns(2)
_IMAGE = "formation-autoscaler:test"
_END_SECONDS = 5


@pytest.fixture(scope="module")
def engine():
    """A Docker Engine that nothing else uses."""
    if reason := missing():
        pytest.skip(reason)
    with switched_on(("images",), keeps=False) as (node,):
        yield node


@pytest.fixture(scope="module")
def image(engine, tmp_path_factory):
    """The image as `make image` builds it; the wheels are made of what is installed here, so that nothing is fetched."""
    folder = tmp_path_factory.mktemp("image")
    context = folder / "context"
    wheels = context / "build" / "wheels"
    wheels.mkdir(parents=True)
    for name in ("Dockerfile", ".dockerignore"):
        shutil.copy(_ROOT / name, context / name)
    base = _write_base(folder / "base.tar")
    with ThreadPoolExecutor(1) as thread:
        imported = thread.submit(engine.docker, "import", "--change=ENV PATH=/usr/local/bin:/usr/bin:/bin", base, "python:offline")
        _write_wheels(wheels)
        imported.result()
    build = ("build", "--quiet", "--network=none", "--build-arg=BASE=python:offline", f"--tag={_IMAGE}", context)
    # The older builder of the same engine does, too, in twice the time.
    run("/usr/bin/docker", "--host", engine.address, *build, environment={"DOCKER_BUILDKIT": "1"})
    return _IMAGE


def _write_wheels(folder: Path) -> None:
    hatch = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", folder]
    subprocess.run(hatch, cwd=_ROOT, check=True, capture_output=True)
    pins = (_ROOT / "requirements" / "core.txt").read_text().splitlines()
    for pin in pins:
        if not pin.startswith("#"):
            _write_wheel(distribution(pin.partition("==")[0]), folder)


def _write_wheel(installed: Distribution, folder: Path) -> None:
    """Pack what pip unpacked, but not the programs in bin/."""
    every = [tag.split("-") for tag in re.findall(r"^Tag: (\S+)", installed.read_text("WHEEL"), re.MULTILINE)]
    tags = "-".join(".".join(dict.fromkeys(kinds)) for kinds in zip(*every, strict=True))
    name = f"{re.sub(r'[-.]+', '_', installed.name)}-{installed.version}"
    with zipfile.ZipFile(folder / f"{name}-{tags}.whl", "w") as wheel:
        for file in installed.files:
            if not _UNPACKED.search(file.as_posix()):
                wheel.write(file.locate(), str(file))


def _write_base(path: Path) -> Path:
    """Pack this Python with pip and the libraries it needs, as an image would have them."""
    program = Path(sys.base_prefix, "bin", f"python{sys.version_info.major}.{sys.version_info.minor}")
    with tarfile.open(path, "w") as image:
        _add_folder(image, "tmp", 0o1777)
        for parent in reversed(program.parents):
            _add_folder(image, str(parent), 0o755)  # a home may be closed to others
        image.add(program)
        image.add(_STANDARD_LIBRARY, filter=_wanted)
        image.add(_SITE / "pip", _STANDARD_LIBRARY / "pip", filter=_wanted)
        for library in _find_libraries(program):
            image.add(library.resolve(), library)
        link = tarfile.TarInfo("usr/local/bin/python3")
        link.type, link.linkname = tarfile.SYMTYPE, str(program)
        image.addfile(link)
    return path


def _add_folder(image: tarfile.TarFile, name: str, mode: int) -> None:
    folder = tarfile.TarInfo(name.lstrip("/") or ".")
    folder.type, folder.mode = tarfile.DIRTYPE, mode
    image.addfile(folder)


def _wanted(entry: tarfile.TarInfo) -> tarfile.TarInfo | None:
    name = Path(entry.name).name
    return None if name in _LEFT_OUT or _UNUSED.search(name) else entry


def _find_libraries(program: Path) -> list[Path]:
    modules = [each for each in (_STANDARD_LIBRARY / "lib-dynload").glob("*.so") if not _UNUSED.search(each.name)]
    needing = [program, *modules, *(_SITE / "pydantic_core").glob("*.so")]
    listed = subprocess.run(["ldd", *needing], capture_output=True, text=True, check=True).stdout
    found = {Path(name) for name in re.findall(r"(?:=> |^\t)(/\S+)", listed, re.MULTILINE)}
    return sorted(each for each in found if not each.resolve().is_relative_to(_SITE))


@pytest.fixture(scope="module")
def manifests(tmp_path_factory):
    """The exported manifests, by their kinds."""
    path = tmp_path_factory.mktemp("export") / "autoscaler.yaml"
    path.write_text(_CONFIGURATION)
    printed = CliRunner().invoke(program, ["export", "kubernetes", "-", "-c", str(path), "--image", _IMAGE]).stdout
    return {each["kind"]: each for each in yaml.safe_load_all(printed)}


@pytest.fixture(scope="module")
def cluster(engine, manifests, cluster_certificates):
    """A made-up Kubernetes API in the network of the engine, where the controller has the exported rights and no others."""
    with closing(_call_in_network_of(engine, lambda: KubernetesApi(cluster_certificates.server))) as made:
        group = "rbac.authorization.k8s.io"
        for kind in ("Role", "RoleBinding"):
            made.put(RESOURCES[group, "v1", f"{kind.lower()}s"], "shop", "autoscaler", manifests[kind])
        made.users[TOKEN] = User("system:serviceaccount:shop:autoscaler", frozenset())
        made.deploy("web")
        yield made


def _call_in_network_of(node, make):
    """A socket belongs to the network that its thread is in when it is opened."""

    def call():
        with Path(f"/proc/{node._init_pid()}/ns/net").open() as network:
            assert ctypes.CDLL(None, use_errno=True).setns(network.fileno(), _NEW_NETWORK) == 0
        return make()

    with ThreadPoolExecutor(1) as thread:
        return thread.submit(call).result()


@pytest.fixture(scope="module")
def surroundings(cluster, cluster_certificates, manifests, tmp_path_factory):
    """What the made-up cluster gives a pod, as options of docker."""
    folder = tmp_path_factory.mktemp("surroundings")
    account = folder / "account"
    account.mkdir()
    for name, text in (("token", TOKEN), ("ca.crt", cluster_certificates.ca.read_text()), ("namespace", "shop")):
        (account / name).write_text(text)
    (folder / "autoscaler.yaml").write_text(manifests["ConfigMap"]["data"]["autoscaler.yaml"])
    return (
        f"--volume={folder / 'autoscaler.yaml'}:/etc/autoscaler/autoscaler.yaml:ro",
        f"--volume={account}:/var/run/secrets/kubernetes.io/serviceaccount:ro",
        "--network=host",
        "--env=KUBERNETES_SERVICE_HOST=127.0.0.1",
        f"--env=KUBERNETES_SERVICE_PORT={cluster.url.rpartition(':')[2]}",
    )


@pytest.fixture(scope="module")
def autoscaler_in(engine, image, surroundings, manifests):
    """Run the image to its end as the exported Deployment has it, and return what it printed."""
    pod = manifests["Deployment"]["spec"]["template"]["spec"]
    given = ("run", *surroundings, *_confined(pod))
    return lambda *words, options=("--rm",): engine.docker(*given, *options, image, *(words or pod["containers"][0]["args"]))


def _confined(pod):
    """Write what a pod may as options of docker."""
    (container,) = pod["containers"]
    folders = {volume["name"] for volume in pod["volumes"] if "emptyDir" in volume}
    rights = container["securityContext"]
    return (
        *(f"--env={each['name']}={each['value']}" for each in container["env"]),
        *(f"--tmpfs={mount['mountPath']}:mode=777" for mount in container["volumeMounts"] if mount["name"] in folders),
        *(f"--cap-drop={each}" for each in rights["capabilities"]["drop"]),
        f"--read-only={str(rights['readOnlyRootFilesystem']).lower()}",
        f"--security-opt=no-new-privileges={str(not rights['allowPrivilegeEscalation']).lower()}",
        f"--user={pod['securityContext']['runAsUser']}:{pod['securityContext']['runAsGroup']}",
        f"--memory={container['resources']['limits']['memory'].removesuffix('i').lower()}",
    )


def test_image_tells_its_version(autoscaler_in):
    assert autoscaler_in("--version") == f"autoscaler {autoscaler.__version__}\n"


def test_image_checks_the_configuration_that_is_mounted_and_the_cluster(autoscaler_in):
    assert "/etc/autoscaler/autoscaler.yaml: ok: 1 process type, 0 metrics\n" in autoscaler_in("check", "--connect")


def test_image_runs_a_tick(autoscaler_in):
    lines = autoscaler_in("run", "--dry-run", "--once", "--record=-").splitlines()

    assert [each["process_type"] for each in map(json.loads, lines) if each["event"] == "decision"] == ["web"]


@pytest.fixture(scope="module")
def container(autoscaler_in):
    """The name of a container that was started; the last of the tests that ask for it stops it."""
    return autoscaler_in(options=["--detach"]).strip()


@pytest.fixture
def running(engine, container, eventually):
    """The name of a container that has decided once."""
    eventually(lambda: "web: 2 desired" in engine.docker("exec", container, "autoscaler", "status", check=False))
    return container


def test_image_passes_the_exported_probes_and_takes_a_pause(engine, running, manifests, eventually):
    (container,) = manifests["Deployment"]["spec"]["template"]["spec"]["containers"]
    for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
        engine.docker("exec", running, *container[probe]["exec"]["command"])

    engine.docker("exec", running, "autoscaler", "pause", "web", "--reason", "a test")

    eventually(lambda: "web: paused: a test" in engine.docker("exec", running, "autoscaler", "status"))


def test_image_scales_as_soon_as_it_runs_and_ends_within_seconds_of_a_sigterm(engine, running, cluster):
    engine.docker("stop", f"--time={_END_SECONDS}", running)

    assert cluster.workload("web")["spec"]["replicas"] == 2
    assert engine.docker("inspect", "--format={{.State.ExitCode}}", running) == "0\n"


def test_image_holds_no_more_than_it_needs(engine, image):
    settings = json.loads(engine.docker("inspect", image))[0]["Config"]
    names = "import importlib.metadata as metadata; print([each.name for each in metadata.distributions()])"
    listing = engine.docker("run", "--rm", "--network=none", "--entrypoint=python3", image, "-c", names)

    assert (settings["User"], settings["Entrypoint"], settings["StopSignal"]) == ("65532:65532", ["autoscaler"], "SIGTERM")
    assert "jeepney" not in listing
    assert "pytest" not in listing
