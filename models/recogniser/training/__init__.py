"""How the small Whisper for demonstrations and tests is made. Needs torch and transformers; the product does not."""
