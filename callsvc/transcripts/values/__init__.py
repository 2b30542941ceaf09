"""What spoken numbers come to, beside the words as they were said."""
