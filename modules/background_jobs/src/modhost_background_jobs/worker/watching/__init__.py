"""What a worker watches: its leases, lost claims, and attempts that do not stop."""
