"""What keeps the pages up to date in the browser."""
