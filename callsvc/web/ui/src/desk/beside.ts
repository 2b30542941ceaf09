/** What an operator is reminded of and asked, in the language of the screen; and what was written beside a call. */
import { api, type Shape } from "../api/client";
import { lang } from "../locale";
import { useResource, type Resource } from "../resource";

export type Guides = Shape<"GuidesOut">;
export type Beside = Shape<"Beside">;

export function useGuides(): Guides | undefined {
  return useResource((signal) => api.get("/api/guides", { signal }), []).data;
}

export function useBeside(call: string): Resource<Beside> {
  return useResource((signal) => api.get("/api/calls/{call_id}/notes", { path: { call_id: call }, signal }), [call]);
}

export function said(choice: { sv: string; en: string }): string {
  return choice[lang.value];
}
