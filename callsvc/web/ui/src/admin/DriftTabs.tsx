/** The pages of the system's keeping, beside one another: how the parts are, how long calls are kept, which models are in use. */
import { t, type Key } from "../locale";
import { addresses, path } from "../router";
import { may, type Right } from "../session";

const tabs: { to: string; label: Key; right: Right }[] = [
  { to: addresses.health, label: "drift.health", right: "health.read" },
  { to: addresses.retention, label: "drift.retention", right: "retention.read" },
  { to: addresses.models, label: "drift.models", right: "health.read" },
];

export function DriftTabs() {
  return (
    <nav class="tabs" aria-label={t("drift.label")}>
      {tabs.filter((tab) => may(tab.right)).map((tab) => (
        <a key={tab.to} href={tab.to} aria-current={path.value === tab.to ? "page" : undefined}>{t(tab.label)}</a>
      ))}
    </nav>
  );
}
