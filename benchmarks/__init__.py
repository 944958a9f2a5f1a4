"""modhost measured against its peers and against what the bare database drivers can do."""
