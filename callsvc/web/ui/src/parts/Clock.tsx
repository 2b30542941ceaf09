/** A clock that runs while something goes on. Screen readers get it on request, not each second. */
import { signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { clock, isoDuration } from "../format";

const tick = signal(Date.now());
let users = 0;
let timer: number | undefined;
/** Service time less the browser's, in milliseconds; set from the `now` of each answer. */
let offsetMs = 0;

export function serviceTimeIs(iso: string): void {
  offsetMs = Date.parse(iso) - Date.now();
}

export function Clock({ since }: { since: string }) {
  useEffect(() => {
    users += 1;
    timer ??= window.setInterval(() => (tick.value = Date.now()), 250);
    return () => {
      users -= 1;
      if (users === 0) {
        clearInterval(timer);
        timer = undefined;
      }
    };
  }, []);
  const seconds = (tick.value + offsetMs - Date.parse(since)) / 1000;
  return <time class="clock" datetime={isoDuration(seconds)}>{clock(seconds)}</time>;
}
