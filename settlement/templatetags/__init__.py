"""Template tags of settlement."""
