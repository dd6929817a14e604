"""What times parts of the market by themselves."""
