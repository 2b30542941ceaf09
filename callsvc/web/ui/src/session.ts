/** Who is signed in. The cookie is the browser's; the screens know only the person and what they may do. */
import { signal } from "@preact/signals";
import { answer } from "./account/passkeys";
import { api, Problem, whenSignedOut, type Shape } from "./api/client";

export type Me = Shape<"Me">;
export type Right = Me["rights"][number];

/** undefined: not asked yet; null: nobody. */
export const me = signal<Me | null | undefined>(undefined);
export const expired = signal(false);

whenSignedOut.tell = () => {
  expired.value = Boolean(me.value);
  me.value = null;
};

export async function ask(): Promise<void> {
  try {
    me.value = await api.get("/api/me");
  } catch (fault) {
    if (fault instanceof Problem && fault.status === 401) me.value = null;
    else throw fault;
  }
}

export async function signIn(name: string, password: string, code: string | null): Promise<void> {
  me.value = await api.post("/api/login", { body: { name, password, code } });
  expired.value = false;
}

export async function signInByPasskey(): Promise<void> {
  const asked = await api.post("/api/sign-in/passkey/question");
  me.value = await api.post("/api/sign-in/passkey", { body: await answer(asked) });
  expired.value = false;
}

export async function signOut(): Promise<void> {
  const { next } = await api.post("/api/logout");
  me.value = null;
  expired.value = false;
  // The organisation's provider would let the next person in without asking, unless it is left as well.
  if (next) location.assign(next);
}

export function may(right: Right): boolean {
  return me.value?.rights.includes(right) ?? false;
}
