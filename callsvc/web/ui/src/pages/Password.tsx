/** A password of one's own, in place of the one-time one or of an old one. */
import { useState } from "preact/hooks";
import { api, Problem } from "../api/client";
import { t } from "../locale";
import { addresses, go } from "../router";
import { ask, me, signOut } from "../session";
import { Field } from "../parts/Field";
import { Passkeys } from "../account/Passkeys";
import { SecondFactor } from "../account/SecondFactor";
import { Sessions } from "../account/Sessions";
import { Fault, Notice } from "../parts/Notice";
import { Page } from "../parts/Page";

const LEAST = 12;

/** `first`: nothing is open until the one-time password is changed; `bare`: nor until there is a second factor. */
export function Password({ first = false, bare = false }: { first?: boolean; bare?: boolean }) {
  const [current, setCurrent] = useState("");
  const [wanted, setWanted] = useState("");
  const [again, setAgain] = useState("");
  const [problem, setProblem] = useState<Problem>();
  const [tried, setTried] = useState(false);
  const [done, setDone] = useState(false);
  const short = tried && wanted.length < LEAST ? t("password.short", { n: LEAST }) : null;
  const differs = tried && wanted !== again ? t("password.differs") : null;

  const submit = (event: Event) => {
    event.preventDefault();
    setTried(true);
    setDone(false);
    if (wanted.length < LEAST || wanted !== again) return;
    api.post("/api/me/password", { body: { current, wanted } })
      .then(async () => {
        setProblem(undefined);
        await ask();
        setDone(true);
        setCurrent("");
        setWanted("");
        setAgain("");
        setTried(false);
        if (first) go(addresses.calls, { replace: true });
      })
      .catch((fault: unknown) => setProblem(Problem.of(fault)));
  };

  if (me.value?.external) {
    return (
      <Page title={t("password.title")} lead={t("password.external")}>
        <Sessions />
      </Page>
    );
  }
  // Where nothing opens without one, it comes first.
  const factors = <><Passkeys /><SecondFactor /></>;
  return (
    <div class={first || bare ? "alone" : ""}>
      <Page title={first ? t("password.first") : t("password.title")} lead={first ? t("password.first.lead") : t("password.lead")}>
        {bare && <Notice tone="warn" title={t("password.bare")}><p>{t("password.bare.hint")}</p></Notice>}
        {bare && factors}
        <form class="card narrow" onSubmit={submit}>
          {problem && <Fault problem={problem} />}
          {done && <Notice tone="good" title={t("password.done")} />}
          <Field label={first ? t("password.onetime") : t("password.current")} value={current} change={setCurrent} type="password" autocomplete="current-password" />
          <Field label={t("password.wanted")} value={wanted} change={setWanted} type="password" autocomplete="new-password"
            hint={t("password.hint", { n: LEAST })} fault={short} />
          <Field label={t("password.again")} value={again} change={setAgain} type="password" autocomplete="new-password" fault={differs} />
          <div class="row">
            <button type="submit" class="button primary">{t("password.go")}</button>
            {(first || bare) && <button type="button" class="button" onClick={() => void signOut()}>{t("nav.out")}</button>}
          </div>
        </form>
        {!first && !bare && factors}
        {!first && <Sessions />}
      </Page>
    </div>
  );
}
