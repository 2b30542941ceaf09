/** The keys of a headset and of a keyboard's media row, also while another window has the focus.

A browser gives them to the page that plays something. So while somebody is available, or has a call, this one plays what
nobody hears: six seconds of nothing, over and over. Which headsets send such keys is theirs; those of the keyboard do. */
import { useEffect } from "preact/hooks";
import { act } from "../keys";
import still from "./still.ogg";

/** A key that comes both ways, by the browser and by the page, is one press. */
const ONCE_MS = 400;

export function useHeadsetKeys(on: boolean): void {
  useEffect(() => {
    const session = navigator.mediaSession as MediaSession | undefined;
    if (!on || !session) return undefined;
    const nothing = new Audio(still);
    nothing.loop = true;
    // Refused until somebody has pressed something on the page: whoever becomes available has.
    void nothing.play().catch(() => undefined);
    let last = 0;
    const once = (action: "headset" | "hangUp") => () => {
      const now = performance.now();
      if (now - last > ONCE_MS) act(action);
      last = now;
      // Begun anew: after its stop key a browser passes no more keys on to a page that just plays on.
      nothing.pause();
      void nothing.play().catch(() => undefined);
    };
    const actions: [string, MediaSessionActionHandler][] = [
      ["play", once("headset")], ["pause", once("headset")], ["stop", once("hangUp")], ["hangup", once("hangUp")],
    ];
    const set = (name: string, handler: MediaSessionActionHandler | null) => {
      try {
        session.setActionHandler(name as MediaSessionAction, handler);
      } catch {
        return; // this browser does not know the key
      }
    };
    for (const [name, handler] of actions) set(name, handler);
    return () => {
      for (const [name] of actions) set(name, null);
      nothing.pause();
      nothing.removeAttribute("src");
    };
  }, [on]);
}
