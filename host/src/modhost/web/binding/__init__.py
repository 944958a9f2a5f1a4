"""From requests to the arguments of handlers, and from their results to responses."""
