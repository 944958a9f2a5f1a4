"""Mutation testing: small faults are put into the queue one by one, and its tests have to fail."""
