"""Looking after what is stored: fixity in rounds, leftovers, and documents that must be forgotten."""
