"""What the archive holds, in figures: documents, pages, how well they were read, where a person's hour helps most."""
