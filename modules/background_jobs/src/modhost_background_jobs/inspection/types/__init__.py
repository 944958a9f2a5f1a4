"""Job types over time: their figures against those before, their failures by what they share."""
