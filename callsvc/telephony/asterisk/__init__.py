"""Calls that an Asterisk puts through to us: its AudioSocket for the sound, its REST interface (ARI) for the rest.

frames        AudioSocket's messages, read and written
connection    one leg on an AudioSocket
server        waits for Asterisk to connect, and lets in what was announced
ari           Asterisk's REST interface and its events
channels      which channels are there, and who waits for one to come or to go
exchange      one call after the other: two bridges each, and the way back when we are what fails

    caller ──bridge── AudioSocket ──► media node ──► AudioSocket ──bridge── operator
"""
