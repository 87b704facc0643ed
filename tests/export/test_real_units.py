"""Exported units under a real systemd."""

import json
import os
import socket
import subprocess
import sys

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from autoscaler.export.app import Controller
from autoscaler.export.systemd import write_systemd
from autoscaler.model import Address, ProcessType

pytestmark = pytest.mark.server

_MOST_EXPOSED = 3.0
_TELL = "import json,os,sys; json.dump([sys.argv[1:], dict(os.environ)], open(sys.argv[1], 'w'))"
_HARD = """it's 100% "q" $HOME ${HOME} $$ \\n \\\\ é漢 ;&|#%i"""
_TEXTS = st.text(st.characters(blacklist_categories=("Cs",), blacklist_characters="\0"), max_size=40)
_DRAIN = """\
import os, signal, sys, time

def drain(*_):
    time.sleep(0.3)
    open(sys.argv[1], "w").close()
    os._exit(0)

signal.signal(signal.SIGTERM, drain)
open("ready", "w").close()
signal.pause()
"""
_SERVE = """\
import os, socket

listener = socket.socket(fileno=3)
while True:
    listener.accept()[0].sendall(os.environ["PS"].encode())
"""


def _shell_quoted(text):
    return "'" + text.replace("'", "'\\''") + "'"


def _type(command, **values):
    return ProcessType(**{"name": "web", "minimum": 1, "maximum": 4, "command": command, **values})


def _read(path):
    return json.loads(path.read_text()) if path.exists() and path.read_text().endswith("]") else None


@pytest.fixture
def install(user_manager, tmp_path, make_app, controller):
    """Write a type's units for the app in the test's folder where the manager reads them."""

    def write(process_type, chosen=controller):
        files = write_systemd(make_app(process_type, user=None, directory=str(tmp_path)), chosen, has_configuration=True)
        for name, text in files.items():
            user_manager.write(name, text, reload=False)
        user_manager.systemctl("daemon-reload")

    return write


@pytest.fixture
def told(user_manager, tmp_path, install, eventually):
    """Run a type as an exported unit, and return the arguments and variables that its process saw."""
    script = tmp_path / "tell.py"
    script.write_text(_TELL)

    def run(words="", before="", instance=1, **values):
        answer = tmp_path / "answer"
        answer.unlink(missing_ok=True)
        command = f"{before}{sys.executable} {script} {answer} {words}"
        install(_type(command, **values))
        user_manager.systemctl("start", f"app-web@{instance}.service")
        arguments, environment = eventually(lambda: _read(answer))
        user_manager.systemctl("stop", f"app-web@{instance}.service")
        return arguments[1:], environment

    return run


def test_a_process_gets_its_number_its_ports_and_its_words(told, tmp_path):
    (tmp_path / ".env").write_text("FROM_FILE=1\nPORT=9\n")

    arguments, environment = told(f"{_shell_quoted(_HARD)} $PORT $((1+1)) 50%", instance=3)

    assert arguments == [_HARD, "5002", "2", "50%"]
    expected = {"PS": "web.3", "PORT": "5002", "METRICS_PORT": "15002", "FROM_FILE": "1"}
    assert {key: environment[key] for key in expected} == expected


def test_the_file_of_variables_is_read_as_its_comment_says(told, tmp_path):
    (tmp_path / ".env").write_text('A=a\\b\nB="x\\ny"\nC=v  \nD=$A #1\nPS=mine\n')

    _, environment = told()

    assert {key: environment[key] for key in ("A", "B", "C", "D", "PS")} == {"A": "ab", "B": "x\\ny", "C": "v", "D": "$A #1", "PS": "mine"}


def test_a_command_of_several_programs_runs_whole(told, tmp_path):
    arguments, _ = told('"a  b" && true', before=f"cd {tmp_path} && NAME='x y' && test \"$NAME\" = 'x y' && ")

    assert arguments == ["a  b"]


def test_any_word_and_any_value_come_through(told):
    @given(word=_TEXTS, value=st.text(st.characters(blacklist_categories=("Cs", "Cc")), max_size=40))
    @settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
    def come_through(word, value):
        arguments, environment = told(_shell_quoted(word), environment={"VALUE": f"{value}\n\t{_HARD}"})

        assert arguments == [word]
        assert environment["VALUE"] == f"{value}\n\t{_HARD}"

    come_through()


@pytest.mark.parametrize("before", ["", "cd . && ", "cd . && exec "])
def test_a_process_drains_before_it_is_stopped(user_manager, tmp_path, install, eventually, before):
    (tmp_path / "drain.py").write_text(_DRAIN)
    install(_type(f"{before}{sys.executable} drain.py drained"))
    user_manager.systemctl("start", "app-web@1.service")
    eventually((tmp_path / "ready").exists)

    user_manager.systemctl("stop", "app.target", "app-web@1.service")

    assert (tmp_path / "drained").exists()


def test_the_target_stops_and_restarts_what_runs_and_nothing_else(user_manager, install, eventually):
    install(_type("sleep 1000"))
    user_manager.systemctl("start", "app-web@2.service")
    before = user_manager.main_pid("app-web@2.service")

    user_manager.systemctl("restart", "app.target")
    eventually(lambda: user_manager.main_pid("app-web@2.service") not in {0, before})
    assert user_manager.active("app-web@*") == ["app-web@2.service"]

    user_manager.systemctl("stop", "app.target")
    eventually(lambda: user_manager.active("app-web@*") == [])


def test_processes_share_a_socket_and_a_connection_starts_the_first(user_manager, tmp_path, install, free_port, eventually):
    (tmp_path / "serve.py").write_text(_SERVE)
    install(_type(f"{sys.executable} serve.py", socket="shared", listen=Address("127.0.0.1", free_port)))
    user_manager.systemctl("start", "app-web.socket")

    assert _ask(free_port) == b"web.1"
    user_manager.systemctl("start", "app-web@2.service")
    eventually(lambda: _ask(free_port) == b"web.2")


def _ask(port):
    with socket.create_connection(("127.0.0.1", port), 10) as connection:
        return connection.recv(100)


@pytest.mark.parametrize("user", ["root", None])
def test_systemd_finds_nothing_to_say_of_the_units(require_program, tmp_path, make_app, controller, user):
    types = [_type("true"), _type("a && b", name="worker", ready="notify"), _type("x", name="api", socket="shared", listen=Address("127.0.0.1", 80))]
    app = make_app(*types, user=user, directory="/")
    files = write_systemd(app, Controller(program=("/bin/true",), configuration=controller.configuration), has_configuration=True)
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    units = [tmp_path / name.replace("@.", "@1.") for name in files if name.endswith((".service", ".socket", ".target"))]

    scope = ["--user"] if user is None else ["--system"]
    command = [require_program("systemd-analyze"), "verify", "--man=no", *scope, *units]
    environment = {**os.environ, "XDG_RUNTIME_DIR": str(tmp_path)}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)

    assert (done.stdout, done.stderr, done.returncode) == ("", "", 0)


def test_the_controller_is_little_exposed(require_program, tmp_path, make_app, controller):
    (tmp_path / "autoscaler.service").write_text(write_systemd(make_app(web="x"), controller, has_configuration=True)["autoscaler.service"])
    command = [require_program("systemd-analyze"), "security", "--offline=true", "--no-pager", f"--threshold={_MOST_EXPOSED * 10:.0f}"]

    done = subprocess.run([*command, tmp_path / "autoscaler.service"], capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout[-200:]


def test_the_controller_runs_with_no_more_than_its_rights(user_manager, tmp_path, install, eventually):
    (tmp_path / "autoscaler.yaml").write_text("listen: null\nbackend: dry_run\nformation: {web: {maximum: 2}}\n")
    install(_type("x"), Controller(program=(sys.executable, "-m", "autoscaler"), configuration=f"{tmp_path}/autoscaler.yaml"))

    user_manager.systemctl("start", "autoscaler.service")
    user_manager.systemctl("reload", "autoscaler.service")

    eventually(lambda: user_manager.state("autoscaler.service") == ("active", "running"))
    assert user_manager.properties("autoscaler.service", "NRestarts") == {"NRestarts": "0"}
