"""The page of the system: modules, processes, configuration, and what is wrong with them."""
