"""The data of a job: as JSON that is stored, without a loss, and with their secrets masked."""
