"""Takes the typing out of sound files."""
