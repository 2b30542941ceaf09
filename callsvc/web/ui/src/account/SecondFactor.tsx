/** The second factor: an authenticator's codes beside the password. */
import { useState } from "preact/hooks";
import { api, Problem, type Shape } from "../api/client";
import { t } from "../locale";
import { useResource } from "../resource";
import { ask } from "../session";
import { Field } from "../parts/Field";
import { Fault } from "../parts/Notice";
import { State } from "../parts/State";

export function SecondFactor() {
  const found = useResource((signal) => api.get("/api/me/second-factor", { signal }), []);
  const [fresh, setFresh] = useState<Shape<"NewSecondFactor">>();
  const [code, setCode] = useState("");
  const [password, setPassword] = useState("");
  const [problem, setProblem] = useState<Problem>();
  const done = (asked: Promise<unknown>, then: () => void) => {
    setProblem(undefined);
    asked.then(then).catch((fault: unknown) => setProblem(Problem.of(fault)));
  };
  const settled = () => {
    setFresh(undefined);
    setCode("");
    setPassword("");
    found.reload();
    void ask();
  };
  if (!found.data) return null;
  return (
    <section class="card narrow second-factor" aria-labelledby="second-factor">
      <h2 id="second-factor">{t("factor.title")}</h2>
      <p><State tone={found.data.on ? "good" : "quiet"}>{found.data.on ? t("factor.on") : t("factor.off")}</State></p>
      <p class="hint">{t("factor.lead")}</p>
      {problem && <Fault problem={problem} />}
      {found.data.on ? (
        <form onSubmit={(event) => { event.preventDefault(); done(api.post("/api/me/second-factor/removal", { body: { password } }), settled); }}>
          <Field label={t("password.current")} value={password} change={setPassword} type="password" autocomplete="current-password" />
          <div class="row"><button type="submit" class="button danger">{t("factor.remove")}</button></div>
        </form>
      ) : fresh ? (
        <form onSubmit={(event) => { event.preventDefault(); done(api.post("/api/me/second-factor/confirmation", { body: { code: code.replace(/\s/g, "") } }), settled); }}>
          <p>{t("factor.how")}</p>
          <p class="one-time"><code>{fresh.secret.match(/.{1,4}/g)?.join(" ")}</code></p>
          <p><a href={fresh.address}>{t("factor.open")}</a></p>
          <Field label={t("factor.code")} value={code} change={setCode} autocomplete="one-time-code" autofocus />
          <div class="row"><button type="submit" class="button primary">{t("factor.confirm")}</button></div>
        </form>
      ) : (
        <div class="row"><button type="button" class="button" onClick={() => done(api.post("/api/me/second-factor").then(setFresh), () => undefined)}>{t("factor.begin")}</button></div>
      )}
    </section>
  );
}
