/** Words of the scorecard and the rules come as data, in both languages. */
import type { Shape } from "../api/client";
import { profileName } from "../call/words";
import { moment } from "../format";
import { lang, t } from "../locale";

export type Brief = Shape<"ReviewBrief">;
type Choice = { id: string; sv: string; en: string };

export function said(one: Choice): string {
  return lang.value === "sv" ? one.sv : one.en;
}

/** Which rule drew it, in words. */
export function ruleName(id: string, rules: readonly Choice[]): string {
  const found = rules.find((one) => one.id === id);
  return found ? said(found) : id === "chosen" ? t("review.chosen") : id;
}

export function title(one: Brief): string {
  return t("call.titled", { line: profileName(one.profile), at: one.started_at ? moment(one.started_at) : t("facts.unknown") });
}
