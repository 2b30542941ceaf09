/** Where the keyboard goes when what was asked for stands elsewhere, or when what it was on is gone. */
import type { RefObject } from "preact";
import { useEffect, useRef } from "preact/hooks";

const SOON_MS = 10_000;

/** Once it is drawn, what bears this id has the focus; unless the person has gone elsewhere meanwhile. */
export function focusOn(id: string): void {
  const [began, from] = [performance.now(), document.activeElement];
  const look = () => {
    const now = document.activeElement;
    if (now !== from && now !== document.body && from?.isConnected) return;
    const wanted = document.getElementById(id);
    if (wanted) wanted.focus();
    else if (performance.now() - began < SOON_MS) requestAnimationFrame(look);
  };
  look();
}

/** What this is set on has the focus when it comes. */
export function useArrival<T extends HTMLElement>(): RefObject<T | null> {
  const box = useRef<T>(null);
  useEffect(() => box.current?.focus(), []);
  return box;
}

/** What this is set on has the focus back when something that took its place is over. */
export function useReturn<T extends HTMLElement>(away: boolean): RefObject<T | null> {
  const box = useRef<T>(null);
  const was = useRef(away);
  useEffect(() => {
    if (was.current && !away && (document.activeElement === null || document.activeElement === document.body)) box.current?.focus();
    was.current = away;
  }, [away]);
  return box;
}
