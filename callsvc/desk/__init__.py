"""The quiet line for operators whose telephony is not ours: microphone in, virtual microphone out."""
