"""Run the formation on Kubernetes: the scale of Deployments, StatefulSets and whatever else has one."""

from autoscaler.act.kubernetes.plugin import Kubernetes

__all__ = ["Kubernetes"]
