"""The gate: paired outcomes, facts about the artifact and a policy in; a verdict out. Pure, and it fails closed."""
