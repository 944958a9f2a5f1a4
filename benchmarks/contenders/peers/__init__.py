"""The queues that modhost is compared with."""
