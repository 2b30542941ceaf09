/** What this browser remembers between visits: choices of the person, never anything from a call. */
export type Remembered = "lang" | "theme" | "keys" | "speed" | "microphone" | "speaker" | "hints" | "filters";

export function remembered(what: Remembered): string | null {
  try {
    return localStorage.getItem(`callsvc.${what}`);
  } catch {
    return null; // storage is refused in some private modes; the choice then lasts as long as the page
  }
}

export function remember(what: Remembered, value: string | null): void {
  try {
    if (value === null) localStorage.removeItem(`callsvc.${what}`);
    else localStorage.setItem(`callsvc.${what}`, value);
  } catch {
    return;
  }
}
