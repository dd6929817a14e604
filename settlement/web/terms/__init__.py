"""Pages of what holds for everybody: service terms, rules of disputes and defaults."""
