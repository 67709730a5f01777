"""The results for people with a browser: a list of documents, and their exports as they are.

A web server that only reads. It gives out exports and the report, and nothing else of the store: no page images beside
the exports, no corrections, no records. Like Dagster's UI it has no login.
"""
