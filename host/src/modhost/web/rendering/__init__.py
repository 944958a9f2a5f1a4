"""Pages as HTML: templates, and the shell around them."""
