/** The idle lock: who does not touch key or pointer for the time that the service says is warned, and then locked out.

Locked, the whole application is taken out of the document and kept as it is: nothing of it can be read, and nothing that
was written is lost. What it asks of the service waits until it is unlocked. A call goes on, for its sound is not a part of
the document. The service refuses a locked session by itself; this is what makes it easy to live with. */
import { effect, signal, untracked } from "@preact/signals";
import { api, gate, Problem } from "../api/client";
import { t } from "../locale";
import { leg, shift } from "../phone/shift";
import { addresses, path } from "../router";
import { ask, me } from "../session";
import { answer } from "./passkeys";

export const locked = gate.locked;
/** Seconds until the lock, once there is little time left. */
export const warning = signal<number | null>(null);

export const WARN_S = 60;
const LOOK_MS = 1000;
const SAY_MS = 60_000;
const PLACE = "callsvc.locked-at";
const channel = new BroadcastChannel("callsvc.lock");

let touched = Date.now();
let said = Date.now();

function touch(): void {
  if (locked.value) return;
  touched = Date.now();
  if (warning.value !== null) warning.value = null;
  if (touched - said > SAY_MS) say();
}

/** The service and the other tabs hear once a minute that somebody sits here. */
function say(): void {
  said = Date.now();
  channel.postMessage("active");
  api.post("/api/me/activity").catch(() => undefined);
}

function look(): void {
  const after = me.value?.lock_after_s;
  if (!after || locked.value) {
    warning.value = null;
    if (locked.value) document.title = `${t("lock.title")} · callsvc`;
    return;
  }
  // Who is in a call sits there, though they touch nothing for an hour: they listen.
  if (leg.value || shift.value?.in_hand) touch();
  const idle = (Date.now() - touched) / 1000;
  if (idle >= after) lock();
  else warning.value = idle >= after - WARN_S ? Math.ceil(after - idle) : null;
}

/** Lock now. What the service does not hear it concludes by itself a little later. */
export function lock(): void {
  if (!me.value || locked.value) return;
  locked.value = true;
  channel.postMessage("locked");
  api.post("/api/me/lock", { keepalive: true }).catch(() => undefined);
}

export async function unlock(password: string, code: string | null): Promise<void> {
  me.value = await api.post("/api/me/unlock", { body: { password, code } });
  opened();
  channel.postMessage("unlocked");
}

export async function unlockByPasskey(): Promise<void> {
  me.value = await api.post("/api/me/unlock/passkey", { body: await answer(await api.post("/api/me/unlock/passkey/question")) });
  opened();
  channel.postMessage("unlocked");
}

function opened(): void {
  touched = said = Date.now();
  locked.value = false;
}

/** Somebody may have unlocked elsewhere: another tab, or the provider's window. */
export async function lookAgain(): Promise<void> {
  if (!locked.value) return;
  await ask().catch(() => undefined);
  if (me.value && !me.value.locked) opened();
}

for (const kind of ["keydown", "pointerdown", "pointermove", "wheel", "touchstart"]) {
  addEventListener(kind, touch, { capture: true, passive: true });
}
addEventListener("focus", () => void lookAgain());
document.addEventListener("visibilitychange", look);
setInterval(look, LOOK_MS);
channel.onmessage = ({ data }: MessageEvent<string>) => {
  if (data === "active") {
    touched = said = Date.now(); // that window has told the service, too
    warning.value = null;
  } else if (data === "locked" && me.value) locked.value = true;
  else if (data === "unlocked") void lookAgain();
};

// Who is signed in no more has nothing to unlock; who comes to a locked session finds it locked. A page that is loaded anew
// behind the lock is locked, too: the service may not have heard of it yet. This stands before what leaves that address.
let behind = location.pathname === addresses.locked;
effect(() => {
  const who = me.value;
  if (who === undefined) return;
  if (who === null) {
    gate.forget(new Problem(401, "signed_out", "", ""));
    locked.value = false;
  } else if (who.locked) locked.value = true;
  else if (behind) untracked(lock);
  behind = false;
});

// The address tells of a case or a call: a locked screen stands at one that tells nothing.
effect(() => {
  if (locked.value) {
    warning.value = null;
    if (location.pathname === addresses.unlocked) return;
    if (location.pathname !== addresses.locked) sessionStorage.setItem(PLACE, location.pathname + location.hash);
    history.replaceState(null, "", addresses.locked);
  } else if (me.value !== undefined && location.pathname === addresses.locked) {
    const place = sessionStorage.getItem(PLACE) ?? addresses.calls;
    sessionStorage.removeItem(PLACE);
    history.replaceState(null, "", place);
    path.value = location.pathname;
  }
});

let person: string | null = null;
effect(() => {
  const now = me.value?.id ?? null;
  if (now === person) return;
  person = now;
  touched = said = Date.now();
});
