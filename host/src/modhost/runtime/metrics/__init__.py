"""`/metrics`: what a process counts and measures, in the text format of Prometheus."""
