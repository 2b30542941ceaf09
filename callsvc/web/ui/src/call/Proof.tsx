/** The proof of quiet: how much typing there was and what of it the caller was left with, as a picture and in words.

A hundred marks stand for all key strokes: a tall one was audible, a short one was not. One row is the microphone, the
other what went out to the caller. */
import type { Shape } from "../api/client";
import { decibel, number, percent } from "../format";
import { t, tn } from "../locale";
import { Shape as Drawn } from "../parts/State";

type Detail = Shape<"CallDetail">;
type Figures = NonNullable<Detail["proof"]>;
const MARKS = 100;

/** Which of the hundred marks are tall: spread evenly, as many as the share says. */
export function tall(sharePct: number): boolean[] {
  const count = sharePct > 0 ? Math.max(1, Math.round((sharePct / 100) * MARKS)) : 0;
  return Array.from({ length: MARKS }, (_, n) => Math.floor(((n + 1) * count) / MARKS) > Math.floor((n * count) / MARKS));
}

function Marks({ share, kind }: { share: number; kind: "before" | "after" }) {
  return (
    <svg class={`marks ${kind}`} viewBox="0 0 600 40" preserveAspectRatio="none" aria-hidden="true">
      {tall(share).map((up, n) => {
        const height = up ? 17 - ((n * 37) % 11) * 0.6 : 1.6;
        return <line key={n} x1={n * 6 + 3} x2={n * 6 + 3} y1={20 - height} y2={20 + height} class={up ? "tall" : "low"} />;
      })}
    </svg>
  );
}

function Row({ kind, name, share, level }: { kind: "before" | "after"; name: string; share: number; level: number | null }) {
  return (
    <div class="proof-row">
      <p class="proof-name">{name}</p>
      <Marks share={share} kind={kind} />
      <p class="proof-figure"><strong>{percent(share)}</strong> {t("proof.audible")}{level !== null && <span class="aside">{decibel(level)}</span>}</p>
    </div>
  );
}

export function Proof({ call }: { call: Detail }) {
  const proof = call.proof;
  return (
    <section class="card proof" aria-labelledby="proof">
      <h2 id="proof">{t("proof.title")}</h2>
      {!proof ? <p class="empty">{call.state === "ended" ? t("proof.none") : t("proof.later")}</p> : <Told proof={proof} />}
    </section>
  );
}

function Told({ proof }: { proof: Figures }) {
  const before = proof.audible_before_pct ?? 0;
  const after = proof.audible_after_pct ?? 0;
  const lowered = proof.level_before_db !== null && proof.level_after_db !== null ? proof.level_before_db - proof.level_after_db : null;
  const passed = proof.blocks > 0 ? (100 * proof.blocks_passed) / proof.blocks : 0;
  return (
    <>
      {proof.strokes === 0
        ? <p class="proof-words">{t("proof.nostrokes")}</p>
        : <>
          <p class="proof-words">
            {tn("proof.strokes", proof.strokes)} {t("proof.shares", { before: percent(before), after: percent(after) })}
            {lowered !== null && <> {t("proof.lowered", { db: number(lowered) })}</>}
          </p>
          <div class="proof-picture">
            <Row kind="before" name={t("proof.before")} share={before} level={proof.level_before_db} />
            <Row kind="after" name={t("proof.after")} share={after} level={proof.level_after_db} />
          </div>
          <p class="hint">{t("proof.legend")}</p>
        </>}
      <ul class="proof-facts">
        <li><Drawn tone={proof.degraded ? "warn" : "good"} /><span>{proof.degraded
          ? t("proof.degraded", { share: percent(passed) }) : t("proof.whole")}</span></li>
        <li><Drawn tone="quiet" /><span>{t("proof.delay", { ms: number((proof.latency_samples * 1000) / 16000, 1) })}</span></li>
        <li><Drawn tone="quiet" /><span>{t("proof.model", { model: proof.model, digest: proof.model_sha256.slice(0, 12) || t("facts.unknown") })}</span></li>
      </ul>
    </>
  );
}
