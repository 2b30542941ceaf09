/** People: who has an account, in which roles; new ones get a password that works once. */
import { useState } from "preact/hooks";
import { api, Problem, type Shape } from "../api/client";
import { moment } from "../format";
import { t } from "../locale";
import { useResource } from "../resource";
import { me } from "../session";
import { Dialog } from "../parts/Dialog";
import { Field } from "../parts/Field";
import { Icon } from "../parts/Icon";
import { Fault } from "../parts/Notice";
import { OneTime, type Told } from "../parts/OneTime";
import { Page } from "../parts/Page";
import { roles, RoleBoxes, type Role } from "../parts/RoleBoxes";
import { State } from "../parts/State";

type User = Shape<"User">;

export function Users() {
  const people = useResource((signal) => api.get("/api/users", { signal }), [], ["users"]);
  const [creating, setCreating] = useState(false);
  const [editing, setEditing] = useState<User>();
  const [told, setTold] = useState<Told>();
  return (
    <Page title={t("users.title")} lead={t("users.lead")}
      actions={<button type="button" class="button primary" onClick={() => setCreating(true)}><Icon name="plus" />{t("users.new")}</button>}>
      {people.problem && !people.data && <Fault problem={people.problem} retry={people.reload} />}
      {people.data && (
        <div class="card table-card">
          <table class="cards">
            <thead><tr><th scope="col">{t("users.person")}</th><th scope="col">{t("users.roles")}</th><th scope="col">{t("users.state")}</th><th scope="col">{t("users.seen")}</th><td /></tr></thead>
            <tbody>
              {people.data.users.map((user) => (
                <tr key={user.id}>
                  <th scope="row"><span class="person-name">{user.display_name}</span> <span class="aside">{user.name}{user.id === me.value?.id && ` · ${t("users.you")}`}</span></th>
                  <td data-label={t("users.roles")}>{roles.filter((role) => user.roles.includes(role)).map((role) => t(`role.${role}`)).join(", ") || t("users.noroles")}</td>
                  <td data-label={t("users.state")}><Standing user={user} /></td>
                  <td data-label={t("users.seen")}>{user.last_login_at ? <time datetime={user.last_login_at}>{moment(user.last_login_at)}</time> : t("users.never")}</td>
                  <td class="end"><button type="button" class="button small" onClick={() => setEditing(user)} aria-label={t("users.edit.who", { who: user.display_name })}>{t("users.edit")}</button></td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {creating && <Create close={() => setCreating(false)} done={(created) => { setCreating(false); setTold(created); people.reload(); }} />}
      {editing && <Edit user={editing} close={() => setEditing(undefined)}
        done={(password) => { setEditing(undefined); people.reload(); if (password) setTold(password); }} />}
      {told && <OneTime told={told} close={() => setTold(undefined)} />}
    </Page>
  );
}

function Standing({ user }: { user: User }) {
  if (user.disabled_at) return <State tone="bad">{t("users.disabled")}</State>;
  if (user.must_change_password) return <State tone="busy">{t("users.onetime")}</State>;
  return <State tone="good">{user.external ? t("users.external") : t("users.active")}</State>;
}

function Create({ close, done }: { close: () => void; done: (told: Told) => void }) {
  const [name, setName] = useState("");
  const [shown, setShown] = useState("");
  const [chosen, choose] = useState<Role[]>([]);
  const [problem, setProblem] = useState<Problem>();
  const submit = (event: Event) => {
    event.preventDefault();
    api.post("/api/users", { body: { name: name.trim().toLowerCase(), display_name: shown.trim(), roles: chosen } })
      .then((answer) => done({ name: answer.user.name, password: answer.one_time_password }))
      .catch((fault: unknown) => setProblem(Problem.of(fault)));
  };
  return (
    <Dialog title={t("users.new")} close={close}>
      <form onSubmit={submit}>
        {problem && <Fault problem={problem} />}
        <Field label={t("users.display")} value={shown} change={setShown} autofocus />
        <Field label={t("users.name")} value={name} change={setName} hint={t("users.name.hint")} />
        <RoleBoxes chosen={chosen} choose={choose} />
        <div class="row"><button type="submit" class="button primary">{t("users.create")}</button><button type="button" class="button" onClick={close}>{t("dialog.cancel")}</button></div>
      </form>
    </Dialog>
  );
}

function Edit({ user, close, done }: { user: User; close: () => void; done: (told?: Told) => void }) {
  const [chosen, choose] = useState<Role[]>(user.roles);
  const [problem, setProblem] = useState<Problem>();
  const change = (body: Shape<"UserChange">) => {
    api.patch("/api/users/{user_id}", { path: { user_id: user.id }, body })
      .then(() => done())
      .catch((fault: unknown) => setProblem(Problem.of(fault)));
  };
  const renew = () => {
    api.post("/api/users/{user_id}/password", { path: { user_id: user.id } })
      .then((answer) => done({ name: answer.user.name, password: answer.one_time_password }))
      .catch((fault: unknown) => setProblem(Problem.of(fault)));
  };
  const loseFactor = () => {
    api.post("/api/users/{user_id}/second-factor/removal", { path: { user_id: user.id } })
      .then(() => done())
      .catch((fault: unknown) => setProblem(Problem.of(fault)));
  };
  const mine = user.id === me.value?.id;
  return (
    <Dialog title={user.display_name} close={close}>
      {problem && <Fault problem={problem} />}
      {user.external ? <p>{t("users.external.words")}</p> : (
        <form onSubmit={(event) => { event.preventDefault(); change({ roles: chosen }); }}>
          <RoleBoxes chosen={chosen} choose={choose} />
          <div class="row"><button type="submit" class="button primary">{t("users.save")}</button><button type="button" class="button" onClick={close}>{t("dialog.cancel")}</button></div>
        </form>
      )}
      {!mine && (
        <div class="dialog-more">
          <h3>{t("users.account")}</h3>
          {!user.external && <p class="hint">{t("users.renew.hint")}</p>}
          <div class="row">
            {!user.external && <button type="button" class="button" onClick={loseFactor}>{t("users.factor")}</button>}
            {!user.external && <button type="button" class="button" onClick={renew}><Icon name="key" size={18} />{t("users.renew")}</button>}
            {user.disabled_at
              ? <button type="button" class="button" onClick={() => change({ disabled: false })}>{t("users.enable")}</button>
              : <button type="button" class="button danger" onClick={() => change({ disabled: true })}>{t("users.disable")}</button>}
          </div>
        </div>
      )}
    </Dialog>
  );
}
