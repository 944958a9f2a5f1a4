"""What has happened in the shop: drawn, and as the rows that are stored of it."""
