"""The demonstration call: a call between two real clients, with real voices and real typing, and what came of it."""
