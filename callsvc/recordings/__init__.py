"""The recording as evidence: taken down while the call runs, sealed, checked, read back.

    Recorder(spool, keys, node=..., clock=..., sink=..., ...)     a `audio.taps.TapFactory`; one writer thread a node
        .start() / .stop()                                        start seals what an earlier run left open
        .open(call_id, profile, tracks) -> CallTaps               `OSError` when nothing can be written
        .state(call_id) -> RecordingStatus                        for the operator's screen: recording, degraded, why
    reader.open_recording(source, keys) -> Recording              source: DirectorySource(path) | StoreSource(store, prefix)
        .call .recording .profile .outcome .tracks -> {name: TrackInfo(name, rate_hz, samples, gaps)}
        .read(track, start, n) -> int16[n]                        zeros in gaps; decrypts only what is asked for
        .wav(track) -> WavView(.size, .read(offset, n) -> bytes)  for HTTP range requests
        .peaks(track) -> Peaks(per_second, low int8[], high int8[])
    verify.verify(source, keys=None, trusted=None) -> Report      .ok, .findings (code, values), .sentences(lang)
    keys.FileKeyRing(directory)                                   the installation's keys, made at first use

The format is written down in docs/reference/recording-format.md.
"""
