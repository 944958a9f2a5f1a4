"""Make a release: versions in step, distributions that are whole, tried in an empty environment."""
