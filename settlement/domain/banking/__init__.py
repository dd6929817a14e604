"""Pure rules of the monthly cycle: workdays, bank files, matching, file layouts."""
