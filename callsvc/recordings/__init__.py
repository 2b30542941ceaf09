"""The recording as evidence: taken down while the call runs, sealed, checked, read back, handed out.

    recorder   Recorder(spool, keys, node=..., sink=...)   a `audio.taps.TapFactory`; hands (threads) write what it hears
                   .start() .stop() .open(call, profile, tracks) .state(call) .alarm
    reader     open_recording(source, keys) -> Recording   any stretch of any track, as samples, WAV or outline
    verify     verify(source, keys=...) -> Report          what is not as it was sealed, in sentences
    recovery   recover(spool, keys, clock, sink)           seals what a dead node left open
    archive    archive(directory, store, keys)             spool to object store, verified; `jobs` runs it
    place      find(settings, call=..., recording=...)     where a recording lies now: a Source
    bundle     export(source, target, keys, clock)         a copy that its receiver checks alone
    keys       FileKeyRing(directory)                      the installation's keys, made at first use

Below these: layout and head (the bytes), cipher and sound (a record's payload), tap and timeline (from the call to
pieces), segment_file and sealing (from pieces to the disk), scan (back again), manifest. The format is written down in
docs/reference/recording-format.md.
"""
