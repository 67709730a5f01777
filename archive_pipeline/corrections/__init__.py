"""Pages that go out to be corrected with other people's tools, and come back."""
