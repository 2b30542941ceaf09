/** How a person wants to listen. Asked of the service once, so that it is the same at every desk; nobody else can see it. */
import { effect, signal } from "@preact/signals";
import { api, type Shape } from "../api/client";
import { me } from "../session";

export type Choices = Shape<"CareChoices">;
/** Until the service has answered, and where it does not: sound off, and all the care there is. */
const careful: Choices = { sound_off: true, softened: false, marked: true, counted: true };

export const choices = signal<Choices>(careful);
export const known = signal(false);

let person: string | null = null;
effect(() => {
  const now = me.value?.id ?? null;
  if (now === person) return;
  person = now;
  choices.value = careful;
  known.value = false;
});

export async function askChoices(): Promise<void> {
  if (known.value) return;
  try {
    choices.value = await api.get("/api/me/care");
  } finally {
    known.value = true;
  }
}

export function choose(some: Partial<Choices>): void {
  choices.value = { ...choices.value, ...some };
  void api.put("/api/me/care", { body: choices.value }).catch(() => undefined); // it then lasts as long as the page
}
