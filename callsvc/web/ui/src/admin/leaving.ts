/** What is written and not saved yet: kept while the page is open, also over a sign-out, and asked about before one leaves. */
import { useEffect, useState } from "preact/hooks";
import { guard, go } from "../router";
import { me } from "../session";
import type { Table } from "./form/value";

/** The version that was looked at, and what became of it: a form's value, or a text. */
export type Draft = { version: number; text: string; value: Table | null; written: "form" | "text" };

const drafts = new Map<string, Draft>();
const mine = (kind: string) => `${me.value?.id ?? ""}/${kind}`;

export function draftOf(kind: string): Draft | undefined {
  return drafts.get(mine(kind));
}

export function keepDraft(kind: string, draft: Draft | null): void {
  if (draft) drafts.set(mine(kind), draft);
  else drafts.delete(mine(kind));
}

/** While something is unsaved: where one wanted to go, and the two answers to it. */
export function useGuard(unsaved: boolean): { to: string | null; stay: () => void; leave: () => void } {
  const [to, setTo] = useState<string | null>(null);
  useEffect(() => {
    if (!unsaved) return undefined;
    const ask = (event: Event) => event.preventDefault();
    guard.ask = (wanted) => {
      setTo(wanted);
      return true;
    };
    addEventListener("beforeunload", ask);
    return () => {
      guard.ask = null;
      removeEventListener("beforeunload", ask);
    };
  }, [unsaved]);
  return {
    to,
    stay: () => setTo(null),
    leave: () => {
      guard.ask = null;
      if (to !== null) go(to);
    },
  };
}
