"""Reads of flow control for people: what waits, what is held back, how fast it goes."""
