"""The permissions of the reports."""

from modhost import Permission

GENERATE = Permission("Reports.Generate", "Ask for reports")
VIEW = Permission("Reports.View", "See reports", ("Viewer",))
