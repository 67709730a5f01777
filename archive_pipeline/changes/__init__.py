"""What another model made of a document: the reading before, the reading now, and what differs."""
