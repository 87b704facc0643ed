"""Turn observations into decisions: the policy contract, and one file per rule of the pipeline."""
