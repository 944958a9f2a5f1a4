"""What modhost is to reach, mostly as ratios within one run."""
