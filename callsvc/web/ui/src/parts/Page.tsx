/** The head that every page shares: its name, what can be done here, and its help. */
import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { helpOpen } from "./Help";
import { hint } from "../keys";
import { t } from "../locale";
import { Icon } from "./Icon";

type Props = { title: string; before?: ComponentChildren; lead?: string; actions?: ComponentChildren; children: ComponentChildren };

export function Page({ title, before, lead, actions, children }: Props) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    document.title = `${title} · callsvc`;
  }, [title]);
  useEffect(() => heading.current?.focus({ preventScroll: true }), []);
  return (
    <main id="main" class="page">
      {before}
      <header class="page-head">
        <div class="page-title">
          <h1 ref={heading} tabIndex={-1}>{title}</h1>
          <button type="button" class="button bare" onClick={() => (helpOpen.value = true)} aria-label={t("help.open")}
            title={`${t("help.open")} (${hint("help")})`} aria-keyshortcuts="?"><Icon name="help" /></button>
          {lead && <p class="lead">{lead}</p>}
        </div>
        {actions && <div class="page-actions">{actions}</div>}
      </header>
      {children}
    </main>
  );
}
