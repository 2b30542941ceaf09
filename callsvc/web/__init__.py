"""The pages and the API, over HTTP: composes the features and holds no rule of its own.

app         everything put together; `create_app(site)` is also what the tests serve
site        what the routes work with: settings, database, clock, keys, the recordings that are open
guard       what holds for every answer and every question: headers, origin, host, size
problems    what went wrong, as problem+json (RFC 9457), in the reader's language, with what to do
door        who is asking, and whether they may
changes     tells the screens that something they show has changed
playback    all tracks of a call as one stream, in step
pages       the built screens
routes/     the API, a noun a file
"""
