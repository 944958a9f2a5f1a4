"""The jobs of this module."""
