"""A shop with a believable past: what `make demo` serves, pages are measured and tried with."""
