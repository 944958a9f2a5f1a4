"""What runs in consumers: claiming, executing, rescuing, pruning."""
