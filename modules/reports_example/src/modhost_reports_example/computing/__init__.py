"""What a report is: pure functions from a CSV to rows, files and charts."""
