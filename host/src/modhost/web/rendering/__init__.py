"""Pages and replies: templates, the shell around them, JSON."""
