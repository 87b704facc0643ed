"""Write manifests that run the controller in a Kubernetes cluster."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import click

from autoscaler import __version__
from autoscaler.act.kubernetes import Kubernetes
from autoscaler.act.kubernetes.workload import Workload
from autoscaler.cli.configuration import config_option, find_configuration, load_configuration
from autoscaler.cli.export_files import STANDARD_OUTPUT, write_files
from autoscaler.cli.failures import WrongConfigurationError
from autoscaler.config.loading import read_file
from autoscaler.export.kubernetes import write_kubernetes
from autoscaler.export.kubernetes_installation import Installation, find_mistakes
from autoscaler.export.kubernetes_probes import find_listen_mistakes
from autoscaler.export.kubernetes_surroundings import find_absences, find_backend_mistakes, find_variables, runs_commands
from autoscaler.observe.source import ReadsEachProcess
from autoscaler.settings import Settings

_IMAGE = f"formation-autoscaler:{__version__}"
_NAMESPACE = "default"  # of a cluster, when nobody names one


@click.command
@click.argument("folder", default="kubernetes")
@config_option
@click.option("--namespace", metavar="NAME", help="Where the controller runs. [default: the backend's, or default]")
@click.option("--image", default=_IMAGE, show_default=True, metavar="NAME", help="The image of the controller, which the cluster can pull.")
@click.option("--name", default="autoscaler", show_default=True, metavar="NAME", help="What everything of the controller is called.")
@click.option("-f", "--force", is_flag=True, help="Replace files that are there and differ.")
def kubernetes(folder: str, *, force: bool, **choices: str | None) -> None:
    """Write manifests that run the autoscaler in a cluster into FOLDER; - prints them.

    The configuration has to have a kubernetes backend, and becomes a ConfigMap as it is. No secret is written.
    """
    plan = _plan(Choices(**choices))  # type: ignore[arg-type]  # click made them of the options above
    files = write_kubernetes(plan.installation)
    if folder == STANDARD_OUTPUT:
        click.echo("---\n".join(files.values()), nl=False)
        return
    write_files(Path(folder), files, force=force)
    click.echo("".join(f"wrote {Path(folder, name)}\n" for name in files), nl=False)
    for note in plan.notes:
        click.echo(f"note: {note}")
    click.echo("look them over, then type:")
    for line in _say_installation(plan.installation, folder):
        click.echo(f"  {line}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """What the command line says."""

    config: str | None
    namespace: str | None
    image: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Plan:
    """What is exported, and what is to be said of it."""

    installation: Installation
    notes: tuple[str, ...]


def _plan(choices: Choices) -> _Plan:
    path = find_configuration(choices.config)
    settings = load_configuration(path)
    mistakes = [*find_backend_mistakes(settings), *find_listen_mistakes(settings.listen)]
    namespace = choices.namespace or _own_namespace(settings)
    workloads = dict(_workloads(settings, namespace))
    installation = Installation(
        name=choices.name,
        namespace=namespace,
        image=choices.image,
        configuration=read_file(path).replace("\r\n", "\n"),
        listen=settings.listen,
        workloads=tuple(workloads.values()),
        told=frozenset(workload for name, workload in workloads.items() if name in _told_types(settings)),
        variables=find_variables(settings.document),
        runs_commands=runs_commands(settings),
    )
    mistakes += find_mistakes(installation)
    if mistakes:
        raise WrongConfigurationError("\n".join(mistakes))
    notes = (*settings.warnings, *map(settings.hide, find_absences(settings)), *_find_image_notes(choices.image))
    return _Plan(installation=installation, notes=notes)


def _find_image_notes(image: str) -> Iterator[str]:
    if "/" not in image:
        yield f"{image} has to be where the cluster's nodes find it: push it to a registry of yours and say so, --image REGISTRY/{image}"


def _own_namespace(settings: Settings) -> str:
    said = (plugin.namespace for plugin in settings.backends.values() if isinstance(plugin, Kubernetes) and plugin.namespace)
    return next(said, _NAMESPACE)


def _workloads(settings: Settings, namespace: str) -> Iterator[tuple[str, Workload]]:
    """Find what each process type is in the cluster; a backend that names no namespace takes the one its controller runs in."""
    for name, plugin in settings.backends.items():
        if isinstance(plugin, Kubernetes):
            types = tuple(one.process_type for one in settings.types if one.backend == name)
            yield from zip([each.name for each in types], plugin.workloads(types, plugin.namespace or namespace), strict=True)


def _told_types(settings: Settings) -> set[str]:
    """Find the process types of which a metric that their policies read tells the load of each process."""
    sources = {metric.name: metric.source for metric in settings.metrics}
    return {one.name for one in settings.types if any(_reads_each(sources.get(name), one.name) for name in one.metrics)}


def _reads_each(source: object, process_type: str) -> bool:
    return isinstance(source, ReadsEachProcess) and source.process_type == process_type


def _say_installation(installation: Installation, folder: str) -> Iterator[str]:
    kubectl = f"kubectl --namespace {installation.namespace}"
    given = [each.name for each in installation.variables if not each.has_default or each.name in os.environ]
    if given:
        pairs = " ".join(f'--from-literal={name}="${name}"' for name in given)
        yield f"{kubectl} create secret generic {installation.name} {pairs}"
    yield f"kubectl apply -f {shlex.quote(folder)}"
    yield f"{kubectl} rollout status deployment/{installation.name}"
    yield f"{kubectl} exec deployment/{installation.name} -- autoscaler check --connect"
