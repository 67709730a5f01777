"""What the night does: which documents are missing, stale or worth another try, in which order, and until when."""
