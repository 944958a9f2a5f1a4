"""The parts of putting a host together: choosing its modules, checking them, serving them."""
