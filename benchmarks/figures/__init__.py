"""What was measured, and how it is written down."""
