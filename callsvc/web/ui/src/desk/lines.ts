/** A line as its administrators call it. */
import type { Shape } from "../api/client";
import { profileName } from "../call/words";
import { lang } from "../locale";

type OnALine = { line: Shape<"LineNamed"> | null; profile: string };

/** The line's own name; where the number that was called belongs to none, the kind of line. */
export function nameOf({ line, profile }: OnALine): string {
  if (!line) return profileName(profile);
  return lang.value === "sv" ? line.sv : line.en;
}
