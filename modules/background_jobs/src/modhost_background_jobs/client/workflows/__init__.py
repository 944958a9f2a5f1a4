"""Workflows as callers write them down, cancel them and retry them."""
