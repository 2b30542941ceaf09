"""Calls and their legs: WebRTC and plain RTP, signalling by HTTP, tokens that let a client in."""
