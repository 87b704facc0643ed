import os
from pathlib import Path

import pytest

from autoscaler.model import Reading
from autoscaler.observe.file import FileSource


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "depth"


def test_a_reading_is_as_old_as_the_file(path, poll):
    path.write_text("42\n")
    os.utime(path, (4990, 4990))
    assert FileSource(path=str(path)).read(poll()) == Reading("jobs", 42.0, 990.0)


def test_a_file_from_the_future_is_as_old_as_the_poll(path, poll):
    path.write_text("42")
    assert FileSource(path=str(path)).read(poll(at=5.0)).at == 1000.0


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "PATH is empty"),
        (b"  \n", "PATH is empty"),
        (b"lots", "PATH is not one number: 'lots'"),
        (b"\xff\x00", "PATH is not one number: '\ufffd\\x00'"),
        (b"nan", "the value is nan"),
        (b"1" * 5000, "PATH holds more than 4096 bytes, not one number"),
    ],
)
def test_a_file_without_a_number_is_no_data(path, cause, content, said):
    path.write_bytes(content)
    assert cause(FileSource(path=str(path))) == said.replace("PATH", str(path))


def test_an_absent_file_is_no_data(path, cause):
    assert cause(FileSource(path=str(path))) == f"no file {path}"


def test_a_folder_is_no_file(tmp_path, cause):
    assert cause(FileSource(path=str(tmp_path))) == f"{tmp_path} is a folder, not a file"


def test_a_pipe_does_not_block(path, cause):
    os.mkfifo(path)
    assert cause(FileSource(path=str(path))) == f"{path} is a pipe, not a file"


def test_a_device_is_no_file(cause):
    assert cause(FileSource(path="/dev/zero")) == "/dev/zero is a device, not a file"


@pytest.mark.parametrize("name", ["x" * 5000, "a\0b"])
def test_a_path_that_cannot_be_opened_is_no_data(tmp_path, cause, name):
    assert cause(FileSource(path=f"{tmp_path}/{name}")).startswith("cannot read ")


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_an_unreadable_file_is_no_data(path, cause):
    path.write_text("42")
    path.chmod(0)
    assert cause(FileSource(path=str(path))) == f"cannot read {path}: Permission denied"
