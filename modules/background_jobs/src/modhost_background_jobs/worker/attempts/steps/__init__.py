"""Steps and checkpoints of an attempt: what later attempts need not do again."""
