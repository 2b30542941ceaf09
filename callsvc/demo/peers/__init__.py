"""Two parties to a call as processes of their own: they play a sound file as their microphone and record what they hear.

    CALLSVC_TOKEN=... python -m callsvc.demo.peers.operator --url http://host:port/whip/<call>/operator \\
        --play mic.wav --record heard.wav
    CALLSVC_TOKEN=... python -m callsvc.demo.peers.caller   --url http://host:port/whip/<call>/caller \\
        --play voice.wav --record heard.wav --codec PCMA

Each prints JSON lines: `joined`, `live`, `playing` (with `recorded_samples`: where in the recording it began),
`played`, `state` (what the node tells the operator), `left`, `result`.
"""
