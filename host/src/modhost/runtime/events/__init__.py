"""Events: published, held until the commit, and passed to those who subscribed."""
