"""What runs jobs: claim them, execute their attempts, store how they finish."""
