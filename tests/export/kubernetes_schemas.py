"""Hold manifests to the schemas that Kubernetes publishes, and read them as kubectl does."""

import warnings

import yaml

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # of what it imports
    import kubernetes_validate

# The oldest that has all fields, one in the middle, and the newest that the package knows.
RELEASES = ("1.25", "1.31", kubernetes_validate.latest_version())


def read(files: dict[str, str]) -> dict[str, dict]:
    """Read each file by YAML 1.1, as kubectl does; each holds one object that the newest release accepts."""
    manifests = {name: yaml.safe_load(text) for name, text in files.items()}
    for name, manifest in manifests.items():
        refusal = find_refusal(manifest, RELEASES[-1])
        assert refusal is None, f"{name}: {refusal}"
    return manifests


def find_refusal(manifest: dict, release: str) -> str | None:
    """Say what the schema of a release has against a manifest; also of a field that it does not know."""
    try:
        kubernetes_validate.validate(manifest, release, strict=True)
    except kubernetes_validate.ValidationError as error:
        return f"{'.'.join(map(str, error.path))}: {error.message}"
    return None
