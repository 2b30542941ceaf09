/** Takes the application out of the document while the screen is locked, and puts it back as it was. */
import { effect } from "@preact/signals";
import { render } from "preact";
import { locked } from "./lock";
import { LockScreen } from "./LockScreen";

type Kept = { title: string; focused: Element | null; scrolled: [Element, number, number][]; modal: HTMLDialogElement[]; down: number };

export function hang(app: HTMLElement): void {
  let kept: Kept | null = null;
  const curtain = document.createElement("div");
  effect(() => {
    if (locked.value && !kept) {
      kept = remember(app);
      app.remove();
      document.body.append(curtain);
      render(<LockScreen />, curtain);
    } else if (!locked.value && kept) {
      render(null, curtain);
      curtain.remove();
      document.body.prepend(app);
      restore(kept);
      kept = null;
    }
  });
}

function remember(app: HTMLElement): Kept {
  const all = [...app.querySelectorAll("*")];
  return {
    title: document.title,
    focused: document.activeElement,
    scrolled: all.filter((one) => one.scrollTop || one.scrollLeft).map((one) => [one, one.scrollTop, one.scrollLeft]),
    modal: [...app.querySelectorAll<HTMLDialogElement>("dialog[open]")],
    down: scrollY,
  };
}

function restore({ title, focused, scrolled, modal, down }: Kept): void {
  document.title = title;
  // A dialog that has been out of the document is open but no longer above the rest.
  for (const dialog of modal) {
    dialog.removeAttribute("open");
    dialog.showModal();
  }
  for (const [one, top, left] of scrolled) one.scrollTo(left, top);
  scrollTo(0, down);
  if (focused instanceof HTMLElement) focused.focus({ preventScroll: true });
}
