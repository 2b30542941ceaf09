"""The API, a noun a file."""
