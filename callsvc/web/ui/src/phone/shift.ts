/** The operator's shift, whichever page is shown: available or not, the call that is offered, the one in hand.

One tab holds the telephone (a lock that the browser keeps): two would take the call from each other. */
import { effect, signal } from "@preact/signals";
import { api, gate, Problem, type Shape } from "../api/client";
import { heard, listen } from "../live";
import { serviceTimeIs } from "../parts/Clock";
import { may, me } from "../session";
import * as devices from "./devices";
import { Leg, Refused } from "./leg";

export type Shift = Shape<"Shift">;

export const shift = signal<Shift | null>(null);
export const leg = signal<Leg | null>(null);
export const problem = signal<Problem | null>(null);
/** Another tab has the telephone. */
export const elsewhere = signal(false);
/** The line of the call that was answered last. */
export const last = signal<string | null>(null);

const SAY_EVERY_MS = 10_000;
const AGAIN_MS = 2_000;
const FLAG = "callsvc.available";
let saying: number | undefined;
let trying: number | undefined;
let busy = false;
let over: string | null = null;

function wanted(): boolean {
  return sessionStorage.getItem(FLAG) === "yes";
}

function want(on: boolean): void {
  if (on) sessionStorage.setItem(FLAG, "yes");
  else sessionStorage.removeItem(FLAG);
}

function take(found: Shift): void {
  serviceTimeIs(found.now);
  shift.value = found;
  const hand = found.in_hand;
  if (hand && !leg.value && !busy && !elsewhere.value && over !== hand.call_id) void answer(hand.call_id);
  if (!hand && leg.value && leg.value.phase.value === "broken") leg.value.over("call_ended");
}

export async function look(): Promise<void> {
  try {
    take(await api.get("/api/shift"));
    heard(true);
  } catch (fault) {
    heard(Problem.of(fault).code !== "unreachable");
  }
}

async function say(available: boolean): Promise<void> {
  take(await api.put("/api/shift", { body: { available } }));
}

/** Become available: with a microphone that works, or not at all. */
export async function come(): Promise<void> {
  problem.value = null;
  if (!(await devices.open())) return;
  want(true);
  try {
    await say(true);
    keepSaying();
  } catch (fault) {
    problem.value = Problem.of(fault);
  }
}

export async function pause(): Promise<void> {
  want(false);
  clearInterval(saying);
  try {
    await say(false);
  } catch (fault) {
    problem.value = Problem.of(fault);
  }
}

function keepSaying(): void {
  clearInterval(saying);
  // Nobody sits before a locked screen.
  saying = window.setInterval(() => void (gate.locked.value || say(true).catch(() => undefined)), SAY_EVERY_MS);
}

/** Answer an offered call, or come back to the one in hand; tried again while the call goes on. */
export async function answer(call: string): Promise<void> {
  if (busy) return;
  busy = true;
  clearTimeout(trying);
  problem.value = null;
  try {
    const microphone = await devices.open();
    if (!microphone) return;
    const way = await api.post("/api/calls/{call_id}/answer", { path: { call_id: call } });
    const mine = leg.value?.call === call ? leg.value : new Leg(call);
    mine.onBroken = () => void answer(call);
    leg.value = mine;
    last.value = way.profile;
    watch(mine);
    await mine.join(way.media_url, way.token, microphone);
  } catch (fault) {
    const gone = fault instanceof Refused ? fault.status === 410 || fault.status === 404 : Problem.of(fault).code === "call_over";
    if (gone && leg.value?.call === call) leg.value.over("call_ended");
    else if (leg.value?.call === call) trying = window.setTimeout(() => void answer(call), AGAIN_MS);
    else if (fault instanceof Problem && fault.code !== "unreachable") problem.value = fault;
    if (!leg.value) void look();
  } finally {
    busy = false;
  }
}

const watched = new WeakSet<Leg>();

function watch(one: Leg): void {
  if (watched.has(one)) return;
  watched.add(one);
  effect(() => {
    if (one.phase.value !== "over") return;
    clearTimeout(trying);
    // The node knows that the call is over before the service does: it is not to be taken up again meanwhile.
    over = one.call;
    queueMicrotask(() => {
      if (leg.peek() === one) leg.value = null;
      void look();
    });
  });
}

/** The lock is held as long as the tab lives. */
function holdTelephone(): void {
  void navigator.locks.request("callsvc.telephone", { ifAvailable: true }, (lock) => {
    elsewhere.value = lock === null;
    if (lock) {
      begin();
      return new Promise(() => undefined);
    }
    void look();
    // The other tab may close; then this one takes over.
    void navigator.locks.request("callsvc.telephone", () => {
      elsewhere.value = false;
      begin();
      return new Promise(() => undefined);
    });
    return undefined;
  });
}

function begin(): void {
  void devices.list().catch(() => undefined);
  void look().then(() => {
    if (wanted()) void come();
  });
}

let person: string | null = null;
let held = false;
effect(() => {
  const now = me.value && !me.value.must_change_password && may("call.take") ? me.value.id : null;
  if (now === person) return;
  person = now;
  if (now) {
    if (held) begin();
    else holdTelephone();
    held = true;
  } else {
    // Signing out ends neither the call nor the text; it ends being offered calls.
    want(false);
    clearInterval(saying);
    shift.value = null;
  }
});

listen(["shift", "calls"], () => {
  if (person) void look();
});

// A tab that closes is not there to answer; one that is loaded anew says so again at once.
addEventListener("pagehide", () => {
  if (!wanted()) return;
  void fetch("/api/shift", { method: "PUT", keepalive: true, headers: { "Content-Type": "application/json" }, body: '{"available":false}' });
});
