"""What a host knows of itself while it runs: its modules, its processes, what is wrong."""
