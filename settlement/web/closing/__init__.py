"""Pages of the months of the books and of the sweep."""
