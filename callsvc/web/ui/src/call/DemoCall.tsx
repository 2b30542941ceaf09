/** The button that places a demonstration call, what happens while it runs, and the way to what came of it. */
import { useState } from "preact/hooks";
import { api, Problem, type Shape } from "../api/client";
import { percent } from "../format";
import { hint, useKeys } from "../keys";
import { lookup, t } from "../locale";
import { useResource } from "../resource";
import { callAddress } from "../router";
import { Icon } from "../parts/Icon";
import { Fault } from "../parts/Notice";
import { State } from "../parts/State";

type Demonstration = Shape<"Demonstration">;

export function DemoCall() {
  const latest = useResource((signal) => api.get("/api/demo-calls", { signal }), [], ["demo"]);
  const [problem, setProblem] = useState<Problem>();
  const [asking, setAsking] = useState(false);
  const [hidden, hide] = useState<string>();
  const demo = latest.data?.latest ?? null;
  const busy = asking || demo?.state === "queued" || demo?.state === "running";

  const place = () => {
    if (busy) return;
    setAsking(true);
    setProblem(undefined);
    api.post("/api/demo-calls")
      .then(latest.reload)
      .catch((fault: unknown) => setProblem(Problem.of(fault)))
      .finally(() => setAsking(false));
  };
  useKeys({ demo: place });

  return (
    <section class="card demo" aria-labelledby="demo">
      <div class="demo-head">
        <div>
          <h2 id="demo">{t("demo.title")}</h2>
          <p>{t("demo.lead")}</p>
        </div>
        <button type="button" class="button primary" onClick={place} aria-disabled={busy} title={`${t("demo.place")} (${hint("demo")})`}>
          <Icon name="phone" />{busy ? t("demo.busy") : t("demo.place")}
        </button>
      </div>
      {problem && <Fault problem={problem} />}
      {demo && demo.id !== hidden && <Progress demo={demo} hide={() => hide(demo.id)} />}
    </section>
  );
}

function Progress({ demo, hide }: { demo: Demonstration; hide: () => void }) {
  const share = Math.round(demo.progress * 100);
  if (demo.state === "failed") {
    return <Fault problem={new Problem(0, "demo_failed", t("demo.failed"), demo.error ?? t("demo.failed.hint"))} />;
  }
  if (demo.state === "done") {
    return (
      <div class="demo-done" role="status">
        <State tone="good">{t("demo.done")}</State>
        {demo.call_id && <a class="button small" href={callAddress(demo.call_id)}>{t("demo.look")}<Icon name="arrow" size={16} /></a>}
        <button type="button" class="button bare small" onClick={hide} aria-label={t("demo.hide")}><Icon name="close" size={16} /></button>
      </div>
    );
  }
  const step = lookup(`demo.step.${demo.step || "queued"}`, t("demo.step.queued"));
  return (
    <div class="demo-progress">
      <p role="status"><State tone="busy">{step}</State></p>
      <progress max={100} value={share} aria-label={t("demo.progress")}>{percent(share)}</progress>
      <span class="share">{percent(share)}</span>
    </div>
  );
}
