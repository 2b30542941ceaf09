/** A quarter of a second's beat for the clocks of a call, while one of them is shown. */
import { signal } from "@preact/signals";
import { useEffect } from "preact/hooks";

const beat = signal(0);
let users = 0;
let timer: number | undefined;

export function useTick(): number {
  useEffect(() => {
    users += 1;
    timer ??= window.setInterval(() => (beat.value += 1), 250);
    return () => {
      users -= 1;
      if (users > 0) return;
      clearInterval(timer);
      timer = undefined;
    };
  }, []);
  return beat.value;
}
