/** Where the keyboard is, when what it was on goes away. */
import { useLayoutEffect } from "preact/hooks";

const CAN = "a[href], button:not(:disabled), input:not(:disabled), select:not(:disabled), textarea:not(:disabled), summary, [tabindex='0']";

function lost(): boolean {
  return document.activeElement === null || document.activeElement === document.body;
}

/** Something that opens over the page or within it: when it closes, whoever was in it is back where they came from. */
export function useWayBack(): void {
  useLayoutEffect(() => {
    const before = document.activeElement;
    return () => queueMicrotask(() => {
      if (lost() && before instanceof HTMLElement && before.isConnected) before.focus({ preventScroll: true });
    });
  }, []);
}

/** A control that is gone once it has been used must not leave the keyboard nowhere: what stands nearest to where it was has
it then. A page that knows a better place has put it there before this looks. */
export function holdFocus(root: HTMLElement): void {
  let at: Element | null = null;
  let around: Element[] = [];
  document.addEventListener("focusin", (event) => {
    at = event.target instanceof Element ? event.target : null;
    around = [];
    for (let one = at?.parentElement ?? null; one && one !== root; one = one.parentElement) around.push(one);
  });
  const look = () => {
    if (!at || !lost() || document.querySelector("dialog[open]") || (at.isConnected && !at.matches(":disabled"))) return;
    for (const one of [...around, root]) {
      if (!one.isConnected || one.getClientRects().length === 0) continue;
      // Where all that was around it is gone, the page's name is the place to begin again.
      const heading = one.querySelector<HTMLElement>("h1[tabindex]");
      const next = heading ?? [...one.querySelectorAll<HTMLElement>(CAN)].find((candidate) => candidate.getClientRects().length > 0);
      if (next) {
        next.focus();
        return;
      }
    }
  };
  let asked = false;
  new MutationObserver(() => {
    if (asked || !at || !lost()) return;
    asked = true;
    requestAnimationFrame(() => requestAnimationFrame(() => {
      asked = false;
      look();
    }));
  }).observe(root, { childList: true, subtree: true, attributes: true, attributeFilter: ["disabled"] });
}
