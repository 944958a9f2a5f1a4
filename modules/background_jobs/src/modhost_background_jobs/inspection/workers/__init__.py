"""The workers that are alive, and those that left."""
