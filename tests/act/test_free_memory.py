"""Free memory is what the machine and the control groups leave, less what starting processes will take."""

from __future__ import annotations

from pathlib import Path

import pytest

from autoscaler.act.free_memory import MemoryFiles, read_free_memory, with_free_memory
from autoscaler.model import Address, Counts, Process, TypeFormation
from tests.local_formation import process_type

_MIB = 1 << 20


@pytest.fixture
def files(tmp_path) -> MemoryFiles:
    """A machine with 1,000 MiB available, in whose group web.service nothing is limited yet."""
    (tmp_path / "meminfo").write_text("MemTotal:        4096000 kB\nMemFree:          100000 kB\nMemAvailable:    1024000 kB\n")
    (tmp_path / "cgroup").write_text("1:name=systemd:/x\n0::/app.slice/web.service\n")
    (tmp_path / "groups/app.slice/web.service").mkdir(parents=True)
    return MemoryFiles(tmp_path / "meminfo", tmp_path / "cgroup", tmp_path / "groups")


def limit(files: MemoryFiles, group: str, most: str, used: int, inactive: int = 0) -> None:
    folder = files.groups / group
    (folder / "memory.max").write_text(f"{most}\n")
    (folder / "memory.current").write_text(f"{used}\n")
    (folder / "memory.stat").write_text(f"anon 5\n\ninactive_anon 7\ninactive_file {inactive}\nactive_file 3\n")


def test_the_machine_tells_what_is_available(files):
    assert read_free_memory(files) == 1000 * _MIB


def test_a_group_that_allows_less_counts(files):
    limit(files, "app.slice/web.service", str(500 * _MIB), 200 * _MIB)
    assert read_free_memory(files) == 300 * _MIB


def test_pages_of_files_can_be_had_back(files):
    limit(files, "app.slice/web.service", str(500 * _MIB), 200 * _MIB, inactive=50 * _MIB)
    assert read_free_memory(files) == 350 * _MIB


def test_a_group_around_it_that_allows_less_counts(files):
    limit(files, "app.slice/web.service", str(500 * _MIB), 200 * _MIB)
    limit(files, "app.slice", str(600 * _MIB), 590 * _MIB)
    assert read_free_memory(files) == 10 * _MIB


def test_the_group_shown_as_the_root_of_a_container_counts(files):
    files.own_groups.write_text("0::/\n")
    limit(files, "", str(64 * _MIB), 60 * _MIB)
    assert read_free_memory(files) == 4 * _MIB


def test_a_group_outside_of_what_is_shown_leaves_the_root(files):
    files.own_groups.write_text("0::/../../other\n")
    limit(files, "", str(64 * _MIB), 60 * _MIB)
    assert read_free_memory(files) == 4 * _MIB


def test_a_group_that_allows_more_or_all_changes_nothing(files):
    limit(files, "app.slice/web.service", "max", 200 * _MIB)
    limit(files, "app.slice", str(9000 * _MIB), 0)
    assert read_free_memory(files) == 1000 * _MIB


def test_a_group_above_its_limit_leaves_nothing(files):
    limit(files, "app.slice", str(100 * _MIB), 101 * _MIB)
    assert read_free_memory(files) == 0


def test_where_nothing_tells_it_is_not_known(tmp_path):
    assert read_free_memory(MemoryFiles(tmp_path / "none", tmp_path / "none", tmp_path / "none")) is None


@pytest.mark.parametrize("text", ["MemAvailable: much kB\n", "MemAvailable:\n", "\n \n", "\xff"])
def test_a_file_of_another_shape_tells_nothing(files, text):
    files.meminfo.write_bytes(text.encode("latin-1"))
    assert read_free_memory(files) is None


def test_only_types_that_say_what_they_need_are_told(files):
    told = with_free_memory(
        {"web": TypeFormation(Counts(0)), "job": TypeFormation(Counts(0))}, [process_type(memory_bytes=1), process_type("job")], files
    )
    assert [told[name].free_memory_bytes for name in ("web", "job")] == [1000 * _MIB, None]


def test_what_starts_or_will_start_again_has_yet_to_take_its_memory(files):
    served = Address("127.0.0.1", 15000)
    web = (Process("web.1", "running", served), Process("web.2", "starting", served), Process("web.3", "failed"), Process("web.4", "failed", served))
    job = (Process("job.1", "starting", served), Process("job.2", "draining", served))
    formations = {"web": TypeFormation(Counts(4), web), "job": TypeFormation(Counts(1), job)}
    told = with_free_memory(formations, [process_type(memory_bytes=100 * _MIB), process_type("job", memory_bytes=50 * _MIB)], files)
    assert [told[name].free_memory_bytes for name in ("web", "job")] == [750 * _MIB] * 2


def test_what_is_promised_beyond_the_free_memory_leaves_nothing(files):
    formations = {"web": TypeFormation(Counts(1), (Process("web.1", "starting", Address("127.0.0.1", 1)),))}
    assert with_free_memory(formations, [process_type(memory_bytes=2000 * _MIB)], files)["web"].free_memory_bytes == 0


def test_this_machine_tells_its_free_memory():
    total = int(Path("/proc/meminfo").read_text().split()[1]) * 1024
    assert 0 < read_free_memory(MemoryFiles()) <= total


def test_a_formation_tells_the_free_memory_to_all_who_ask(stage):
    types = (process_type(memory_bytes=_MIB), process_type("job"))
    before = stage.plugin.observer(types).observe().types["web"].free_memory_bytes
    stage.connect(*types)
    seen, observed = stage.observe().types, stage.plugin.observer(types).observe().types
    assert all(free > 0 for free in (before, seen["web"].free_memory_bytes, observed["web"].free_memory_bytes))
    assert (seen["job"].free_memory_bytes, observed["job"].free_memory_bytes) == (None, None)
