"""The README's section on systemd, typed word for word on hosts that have nothing yet."""

import os
import re
import shlex
import subprocess
from itertools import takewhile
from pathlib import Path

import pytest

from tests.systemd_app import install_autoscaler
from tests.systemd_hosts import Host, pair
from tests.systemd_machines import machines, switched_on  # noqa: F401 - a fixture

pytestmark = pytest.mark.server

_ROOT = Path(__file__).resolve().parents[2]
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_SERVED = ("http_proxy", "https_proxy", "no_proxy", "home")  # with what begins with pip: where packages come from here
_SECONDS = 110
_PROCFILE = """\
web: python3 -m http.server --bind 127.0.0.1 $PORT
worker: while :; do sleep 1; done
"""


def _commands(heading):
    """Return the lines to type under a heading, up to the next one of any level."""
    section = re.search(rf"^##+ {heading}\n(.*?)^##", (_ROOT / "README.md").read_text(), re.MULTILINE | re.DOTALL).group(1)
    return re.findall(r"^ {4}(.*)$", section, re.MULTILINE)


def _environment():
    return {key: value for key, value in os.environ.items() if key.lower().startswith("pip_") or key.lower() in _SERVED}


def _type(host, lines, folder=_ROOT):
    """Type lines as root in a folder, and fail with the first that fails."""
    commands = "\n".join([f"cd {shlex.quote(str(folder))}", *lines])
    variables = {**_environment(), "PATH": _PATH, "LANG": "C.UTF-8"}
    done = subprocess.run(
        [*host._enter(), "bash", "-e", "-c", commands], env=variables, capture_output=True, text=True, timeout=_SECONDS, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


def _deploy(host):
    (host.folder / "Procfile").write_text(_PROCFILE)
    host.run("install", "-D", "-m", "0644", host.folder / "Procfile", "/srv/app/Procfile")


def _units(process_type, count):
    return [f"app-{process_type}@{number}.service" for number in range(1, count + 1)]


def test_the_section_on_systemd_ends_with_a_scaled_formation(machines, eventually):  # noqa: ARG001, F811 - it skips
    host = Host()
    with switched_on(host):
        _deploy(host)

        printed = _type(host, _commands("Under systemd"))

        eventually(lambda: host.active("app-*") == _units("web", 3) + _units("worker", 1))
        eventually(lambda: host.properties("autoscaler.service", "StatusText") == {"StatusText": "web 3 of 3, worker 1 of 1"})
        told = takewhile(lambda line: line.startswith("  "), printed.partition("then type:\n")[2].splitlines())
        shown = [line.partition("  #")[0].strip() for line in _commands("Under systemd")]
        assert [line.strip() for line in told if line.strip() not in shown] == []


@pytest.fixture
def two(machines):  # noqa: ARG001, F811 - it skips
    """Two hosts that know each other's names; the first has the autoscaler."""
    with pair() as made:
        for host in made.hosts:
            names = "".join(f"{each.address} {each.name}\n" for each in made.hosts)
            (host.folder / "hosts").write_text(names)
            configuration = host.folder / "ssh/sshd_config"
            configuration.write_text(configuration.read_text().replace("AuthorizedKeysFile ", "AuthorizedKeysFile .ssh/authorized_keys "))
            host.run("cp", host.folder / "hosts", "/etc/hosts")
            host.systemctl("restart", "ssh.service")
            _deploy(host)
        install_autoscaler(made.hosts[0])
        yield made.hosts


def test_the_section_on_several_hosts_ends_with_a_formation_on_both(two, eventually):
    first, second = two
    lines = _commands("Under systemd")[2:]  # but the installation, which needs a network
    _type(first, lines)
    _type(first, [f"cp -r /srv/app/systemd {first.folder}"])
    installing = [line.replace(" systemd/autoscaler.service", "") for line in lines if line.startswith(("useradd", "cd ", "install ", "systemd-"))]
    _type(second, [f"cp -r {first.folder}/systemd /srv/app", *installing, "systemctl daemon-reload"])

    make_key, scan, *let_in = _commands("On several hosts")
    _type(first, [make_key, scan, f"cp /var/lib/autoscaler/.ssh/id_ed25519.pub {first.folder}"])
    for host in two:
        # Without PAM, as sshd runs here, the ! of a user without a password locks the key out too.
        _type(host, [*let_in, "usermod --password '*' autoscaler"], first.folder)
    add_hosts = "s/systemd: {/&hosts: [app1, {host: app2, weight: 2}], /; s/minimum: 3/minimum: 4/"
    _type(first, [f"sed -i '{add_hosts}' /etc/autoscaler/autoscaler.yaml", "systemctl reload autoscaler"])

    eventually(lambda: [host.active("app-*") for host in two] == [_units("web", 3) + _units("worker", 1), _units("web", 1)])
