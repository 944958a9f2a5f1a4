"""Start an application or a module: a project, written from the templates beside this file."""
