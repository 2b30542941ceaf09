/** The rules of keeping in words, as people say them. */
import type { Shape } from "../api/client";
import { profileName } from "../call/words";
import { listed } from "../format";
import { lookup, t, tn } from "../locale";

export type Night = Shape<"RetentionNight">;
export type Rule = Shape<"RetentionRule">;
export type Outcome = "due" | "held" | "waiting" | "unruled";
export const OUTCOMES: readonly Outcome[] = ["due", "held", "waiting", "unruled"];

/** "5 år efter utgången av det år då ärendet avslutades" */
export function howLong(rule: Rule): string {
  const time = listed([rule.years ? tn("retention.years", rule.years) : "", rule.days ? tn("retention.days", rule.days) : ""].filter(Boolean));
  const from = t(`retention.from.${rule.after}${rule.year_end ? ".year" : ""}`);
  return time ? t("retention.after", { time, from }) : t("retention.at_end", { from });
}

/** Which calls a rule speaks of; empty when it names nothing. */
export function which(rule: Rule, label: (id: string) => string): string[] {
  return [
    rule.demonstrations ? t("retention.demonstrations") : "",
    rule.profiles.length < 4 ? t("retention.lines", { lines: listed(rule.profiles.map(profileName)) }) : "",
    rule.labels.length > 0 ? t("retention.labels", { labels: listed(rule.labels.map(label)) }) : "",
    rule.cases.length < 3 ? t("retention.cases", { cases: listed(rule.cases.map((one) => t(`retention.case.${one}`))) }) : "",
  ].filter(Boolean);
}

/** What is derived from a call, in words. */
export function follows(told: Shape<"RetentionFollow">): string {
  const parts = (Object.entries(told) as [keyof typeof told, number][]).filter(([, n]) => n > 0)
    .map(([name, n]) => lookup(`retention.follow.${name}#${n === 1 ? "one" : "other"}`, name, { n }));
  return parts.length ? listed(parts) : t("retention.follow.nothing");
}
