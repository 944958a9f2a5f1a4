"""How much a queue writes, and how much it keeps."""
