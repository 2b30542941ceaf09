/** What every part of a form needs to know of the whole. */
import { createContext } from "preact";
import { useContext } from "preact/hooks";
import type { Shape } from "../../api/client";
import type { Json, Place, Table } from "./value";

export type Fault = Shape<"CatalogueFault">;
export type Form = {
  kind: string;
  value: Table;
  faults: Fault[];
  opened: ReadonlySet<string>;
  open: (keys: string[], on: boolean) => void;
  change: (place: Place, value: Json | undefined) => void;
  /** Where the focus goes once what was changed is shown, and what is said of it. */
  then: (id: string, said?: string) => void;
};

export const FormContext = createContext<Form | null>(null);

export function useForm(): Form {
  const form = useContext(FormContext);
  if (!form) throw new Error("no form around");
  return form;
}
