"""Cases that the design leaves out on purpose, by a rule on their fields; the README beside this file says why."""

EXCLUSIONS = [
    (
        "nomad_target_value",
        "a target of 0 is refused: the processes that keep a reading at 0 cannot be computed from it",
        lambda case: "error" not in case["expect"] and (case.get("input") or {}).get("target") == 0,
    ),
    (
        "documented_examples",
        "a forecast that raises the maximum: a maximum is what the operator allows, and no policy goes beyond it",
        lambda case: "forecast" in (case.get("input") or {}),
    ),
    (
        "keda_scaledobject",
        "a fallback inside a formula of several triggers is the expression policy's to write, as one metric or another; it is no number of processes",
        lambda case: (case.get("fallback") or {}).get("behavior") == "scalingModifiers",
    ),
]


def is_left_out(file: str, case: dict) -> bool:
    """Tell whether a case of a file is left out."""
    return any(name == file and rule(case) for name, _, rule in EXCLUSIONS)
