/** Dark for the control room, light for reading, or as the system says. */
import { signal } from "@preact/signals";
import { remember, remembered } from "./remembered";

export type Theme = "system" | "dark" | "light";

const chosen = remembered("theme");
export const theme = signal<Theme>(chosen === "dark" || chosen === "light" ? chosen : "system");
/** Rises when colours change, so that what is painted on a canvas is painted again. */
export const painted = signal(0);

export function chooseTheme(next: Theme): void {
  theme.value = next;
  remember("theme", next === "system" ? null : next);
  if (next === "system") delete document.documentElement.dataset["theme"];
  else document.documentElement.dataset["theme"] = next;
  painted.value += 1;
}

matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => (painted.value += 1));

/** The colour that a token has now, as a canvas understands it: a token itself may name one for each theme. */
export function colour(token: string): string {
  const probe = document.createElement("span");
  probe.hidden = true;
  probe.style.color = `var(${token})`;
  document.body.append(probe);
  const shown = getComputedStyle(probe).color;
  probe.remove();
  return shown;
}
