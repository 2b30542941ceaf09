/** The browser's own dialog: it keeps the focus inside, closes on Escape and gives the focus back. */
import type { ComponentChildren } from "preact";
import { useEffect, useId, useRef } from "preact/hooks";
import { t } from "../locale";
import { Icon } from "./Icon";

type Props = { title: string; close: () => void; wide?: boolean; children: ComponentChildren };

export function Dialog({ title, close, wide = false, children }: Props) {
  const box = useRef<HTMLDialogElement>(null);
  const name = useId();
  useEffect(() => {
    const shown = box.current;
    const before = document.activeElement;
    shown?.showModal();
    return () => {
      // The browser gives the focus back only from a dialog that still stands in the page.
      shown?.close();
      if (document.activeElement === document.body && before instanceof HTMLElement && before.isConnected) before.focus();
    };
  }, []);
  return (
    <dialog ref={box} class={wide ? "dialog wide" : "dialog"} aria-labelledby={name}
      onCancel={(event) => { event.preventDefault(); close(); }}>
      <header class="dialog-head">
        <h2 id={name}>{title}</h2>
        <button type="button" class="button bare" onClick={close} aria-label={t("dialog.close")}><Icon name="close" /></button>
      </header>
      {children}
    </dialog>
  );
}
