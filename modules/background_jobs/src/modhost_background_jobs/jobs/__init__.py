"""The jobs that this module itself brings."""
