"""What a page hears of the other end of a call, kept: a script for a browser to run before the page's own."""

RECORDER = """
const Peer = window.RTCPeerConnection;
window.RTCPeerConnection = class extends Peer {
  constructor(...given) {
    super(...given);
    this.addEventListener("track", async (event) => {
      window.heard = [];
      const reader = new MediaStreamTrackProcessor({ track: event.track }).readable.getReader();
      for (;;) {
        const { value, done } = await reader.read();
        if (done) return;
        const block = new Float32Array(value.numberOfFrames);
        value.copyTo(block, { planeIndex: 0, format: "f32-planar" });
        window.heard.push(...block);
        window.rate = value.sampleRate;
        value.close();
      }
    });
  }
};
"""
"""`window.heard` are the samples so far, before they reach the ear, within +-1; `window.rate` is how many make a second."""
