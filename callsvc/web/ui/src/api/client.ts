/** The service's API, typed by its own OpenAPI description (schema.d.ts is generated; never edit it). */
import { signal } from "@preact/signals";
import { lang } from "../locale";
import type { components, paths } from "./schema";

export type Shape<Name extends keyof components["schemas"]> = components["schemas"][Name];

type Method = "get" | "post" | "put" | "patch" | "delete";
type Having<M extends Method> = { [P in keyof paths]: paths[P] extends { [K in M]: object } ? P : never }[keyof paths];
type Operation<P extends keyof paths, M extends Method> = paths[P] extends { [K in M]: infer O } ? O : never;
type Json<R> = R extends { content: { "application/json": infer B } } ? B : undefined;
type Answer<O> = O extends { responses: infer R }
  ? Json<R[Extract<keyof R, 200 | 201 | 202 | 204>]>
  : never;
type Body<O> = O extends { requestBody: { content: { "application/json": infer B } } } ? B : undefined;
type Fields<O, In extends "path" | "query"> = O extends { parameters: { [K in In]?: infer F } } ? F : never;
export type Options<O> = {
  path?: Fields<O, "path">;
  query?: Fields<O, "query">;
  body?: Body<O>;
  signal?: AbortSignal;
  /** The page may be gone before the service has heard it. */
  keepalive?: boolean;
};

/** What went wrong, in the words of the service: `title` says what, `hint` what to do. `code` is for the program. */
export class Problem extends Error {
  constructor(readonly status: number, readonly code: string, readonly title: string, readonly hint: string,
    readonly field: string | null = null) {
    super(title);
  }

  /** Whatever was thrown, as something that can be told. A fault of the page's own speaks English, and to programmers. */
  static of(fault: unknown): Problem {
    if (fault instanceof Problem) return fault;
    console.error(fault);
    return new Problem(0, "fault", "", "");
  }
}

/** Called when the service says that nobody is signed in any more. */
export const whenSignedOut: { tell: () => void } = { tell: () => undefined };

/** A locked screen asks for nothing but this; everything else waits until it is unlocked. */
const THOUGH_LOCKED = new Set([
  "get /api/me", "post /api/me/lock", "post /api/me/unlock", "post /api/me/unlock/passkey/question", "post /api/me/unlock/passkey", "post /api/logout", "get /api/sign-in",
  "get /api/shift", "post /api/calls/{call_id}/answer",
]);
const LOCKED = 423;

class Gate {
  readonly locked = signal(false);
  private waiting: { go: () => void; fail: (why: Problem) => void }[] = [];

  constructor() {
    this.locked.subscribe((on) => {
      if (!on) this.waiting.splice(0).forEach(({ go }) => go());
    });
  }

  /** Resolves when the screen is not locked. */
  free(stopped: AbortSignal | undefined): Promise<void> {
    if (!this.locked.value) return Promise.resolve();
    return new Promise((go, fail) => {
      this.waiting.push({ go, fail });
      stopped?.addEventListener("abort", () => fail(new DOMException("", "AbortError")));
    });
  }

  /** Nobody will unlock: what waits is told. */
  forget(why: Problem): void {
    this.waiting.splice(0).forEach(({ fail }) => fail(why));
  }
}

export const gate = new Gate();

async function call<P extends keyof paths, M extends Method>(
  method: M, path: P, options: Options<Operation<P, M>>,
): Promise<Answer<Operation<P, M>>> {
  if (!THOUGH_LOCKED.has(`${method} ${path}`)) await gate.free(options.signal);
  for (;;) {
    try {
      return await once(method, path, options);
    } catch (fault) {
      if (!(fault instanceof Problem) || fault.status !== LOCKED) throw fault;
      gate.locked.value = true;
      await gate.free(options.signal);
    }
  }
}

async function once<P extends keyof paths, M extends Method>(
  method: M, path: P, options: Options<Operation<P, M>>,
): Promise<Answer<Operation<P, M>>> {
  const headers: Record<string, string> = { Accept: "application/json", "Accept-Language": lang.value };
  const init: RequestInit = { method: method.toUpperCase(), headers, credentials: "same-origin", cache: "no-store" };
  if (options.body !== undefined) {
    headers["Content-Type"] = "application/json";
    init.body = JSON.stringify(options.body);
  }
  if (options.signal) init.signal = options.signal;
  if (options.keepalive) init.keepalive = true;
  let answer: Response;
  try {
    answer = await fetch(address(path, options), init);
  } catch (fault) {
    if (fault instanceof DOMException && fault.name === "AbortError") throw fault;
    throw new Problem(0, "unreachable", "", "");
  }
  if (!answer.ok) throw await problem(answer);
  return (answer.status === 204 ? undefined : await answer.json()) as Answer<Operation<P, M>>;
}

async function problem(answer: Response): Promise<Problem> {
  let told: { code?: string; title?: string; hint?: string; field?: string } = {};
  try {
    told = (await answer.json()) as typeof told;
  } catch {
    told = {};
  }
  if (answer.status === 401 && told.code === "signed_out") whenSignedOut.tell();
  return new Problem(answer.status, told.code ?? "fault", told.title ?? "", told.hint ?? "", told.field ?? null);
}

function address(path: string, options: { path?: unknown; query?: unknown }): string {
  const inPath = (options.path ?? {}) as Record<string, string>;
  const filled = path.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(inPath[name] ?? ""));
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries((options.query ?? {}) as Record<string, unknown>)) {
    for (const one of Array.isArray(value) ? value : [value]) {
      if (one !== undefined && one !== null && one !== "") query.append(name, String(one));
    }
  }
  const text = query.toString();
  return text ? `${filled}?${text}` : filled;
}

export const api = {
  get: <P extends Having<"get">>(path: P, options: Options<Operation<P, "get">> = {}) => call("get", path, options),
  post: <P extends Having<"post">>(path: P, options: Options<Operation<P, "post">> = {}) => call("post", path, options),
  put: <P extends Having<"put">>(path: P, options: Options<Operation<P, "put">> = {}) => call("put", path, options),
  patch: <P extends Having<"patch">>(path: P, options: Options<Operation<P, "patch">> = {}) => call("patch", path, options),
};
