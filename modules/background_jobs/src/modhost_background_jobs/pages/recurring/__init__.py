"""The pages of recurring jobs: a line each, one with all about it, and the form that edits one."""
