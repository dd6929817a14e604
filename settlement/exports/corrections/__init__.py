"""Reports of corrections: what runs changed, what short service cost."""
