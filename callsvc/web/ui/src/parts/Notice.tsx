/** Something that went wrong or needs knowing, with what to do. */
import type { ComponentChildren } from "preact";
import type { Problem } from "../api/client";
import { t } from "../locale";
import { Shape, type Tone } from "./State";

export function Notice({ tone, title, children }: { tone: Tone; title: string; children?: ComponentChildren }) {
  return (
    <div class={`notice ${tone}`} role={tone === "bad" ? "alert" : "status"}>
      <Shape tone={tone} />
      <div>
        <p class="notice-title">{title}</p>
        {children}
      </div>
    </div>
  );
}

export function Fault({ problem, retry }: { problem: Problem; retry?: () => void }) {
  const away = problem.code === "unreachable";
  return (
    <Notice tone="bad" title={away ? t("fault.unreachable") : problem.title || t("fault.unknown")}>
      <p>{away ? t("fault.unreachable.hint") : problem.hint || t("fault.unknown.hint")}</p>
      {retry && <button type="button" class="button small" onClick={retry}>{t("fault.retry")}</button>}
    </Notice>
  );
}
