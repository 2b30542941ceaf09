/** What stands around every page: where one can go, who one is, and whether the service is heard. */
import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { useKeys, hint, type Action } from "../keys";
import { line } from "../live";
import { choose, lang, t, type Key } from "../locale";
import { addresses, go, path } from "../router";
import { may, me, signOut, type Right } from "../session";
import { chooseTheme, theme, type Theme } from "../theme";
import { lock } from "../account/lock";
import { Ringing } from "../desk/Ringing";
import { Icon, type Drawing } from "./Icon";
import { Notice } from "./Notice";

type Entry = { to: string; label: Key; icon: Drawing; right: Right; action: Action };

const entries: Entry[] = [
  { to: addresses.desk, label: "nav.desk", icon: "headset", right: "call.take", action: "goDesk" },
  { to: addresses.calls, label: "nav.calls", icon: "calls", right: "call.list", action: "goCalls" },
  { to: addresses.cases, label: "nav.cases", icon: "case", right: "case.read", action: "goCases" },
  { to: addresses.reviews, label: "nav.review", icon: "review", right: "review.work", action: "goReview" },
  { to: addresses.told, label: "nav.told", icon: "told", right: "review.answer", action: "goTold" },
  { to: addresses.users, label: "nav.users", icon: "users", right: "users.admin", action: "goUsers" },
  { to: addresses.log, label: "nav.log", icon: "log", right: "trail.read", action: "goLog" },
  { to: addresses.catalogues, label: "nav.catalogues", icon: "list", right: "rules.edit", action: "goCatalogues" },
  { to: addresses.health, label: "nav.health", icon: "health", right: "health.read", action: "goHealth" },
];

const themes: Theme[] = ["system", "dark", "light"];
const themeIcon: Record<Theme, Drawing> = { system: "half", dark: "moon", light: "sun" };

function nextTheme(): void {
  chooseTheme(themes[(themes.indexOf(theme.value) + 1) % themes.length] ?? "system");
}

export function Preferences() {
  return (
    <div class="preferences">
      <button type="button" class="button bare" onClick={nextTheme} title={`${t("theme.change")} (${hint("theme")})`}>
        <Icon name={themeIcon[theme.value]} /><span>{t(`theme.${theme.value}`)}</span>
      </button>
      <button type="button" class="button bare" lang={lang.value === "sv" ? "en" : "sv"}
        onClick={() => choose(lang.value === "sv" ? "en" : "sv")}>{t("language.other")}</button>
    </div>
  );
}

export function Mark() {
  return (
    <span class="mark">
      <svg width="28" height="28" viewBox="0 0 32 32" aria-hidden="true"><rect width="32" height="32" rx="8" /><path d="M6 13v6M10.5 9v14M15 12v8M19.5 15.600v.8M23 15.600v.8M26.5 15.600v.8" /></svg>
      <span>callsvc</span>
    </span>
  );
}

export function Shell({ children }: { children: ComponentChildren }) {
  const [open, setOpen] = useState(false);
  const person = me.value;
  const mine = entries.filter((entry) => may(entry.right));
  useKeys({ theme: nextTheme, ...Object.fromEntries(mine.map((entry) => [entry.action, () => go(entry.to)])) });
  if (!person) return null;
  const here = (to: string) => path.value === to || (to === "/" && path.value.startsWith("/samtal/")) || ((to === addresses.cases || to === addresses.reviews || to === addresses.catalogues || to === addresses.health) && path.value.startsWith(`${to}/`));
  return (
    <div class="shell">
      <a class="skip" href="#main">{t("nav.skip")}</a>
      <header class="rail">
        <div class="rail-top">
          <a href="/" class="home" aria-label={t("nav.home")}><Mark /></a>
          <button type="button" class="button bare menu" aria-expanded={open} aria-controls="rail-body" onClick={() => setOpen(!open)}>
            <Icon name={open ? "close" : "menu"} /><span>{t("nav.menu")}</span>
          </button>
        </div>
        <div id="rail-body" class={open ? "rail-body open" : "rail-body"}>
          <nav aria-label={t("nav.label")}>
            <ul>
              {mine.map((entry) => (
                <li key={entry.to}>
                  <a href={entry.to} aria-current={here(entry.to) ? "page" : undefined} onClick={() => setOpen(false)}
                    title={`${t(entry.label)} (${hint(entry.action)})`}>
                    <Icon name={entry.icon} /><span>{t(entry.label)}</span>
                  </a>
                </li>
              ))}
            </ul>
          </nav>
          <div class="rail-foot">
            <Preferences />
            <div class="person">
              <p class="rail-person">{person.display_name}</p>
              <p class="person-roles">{person.roles.map((role) => t(`role.${role}`)).join(", ")}</p>
              <div class="person-actions">
                <a href={addresses.password} onClick={() => setOpen(false)}>{t("nav.password")}</a>
                {person.lock_after_s && <button type="button" class="link" onClick={lock}>{t("nav.lock")}</button>}
                <button type="button" class="link" onClick={() => void signOut()}>{t("nav.out")}</button>
              </div>
            </div>
          </div>
        </div>
      </header>
      <div class="content">
        {may("call.take") && <Ringing />}
        {line.value === "lost" && <aside aria-label={t("line.lost")}><Notice tone="warn" title={t("line.lost")}><p>{t("line.lost.hint")}</p></Notice></aside>}
        {children}
      </div>
    </div>
  );
}
