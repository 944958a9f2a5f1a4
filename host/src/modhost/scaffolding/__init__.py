"""Start a module: an installable package, written from the templates beside this file."""
