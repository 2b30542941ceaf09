/** What somebody set down at a place in a call, in words. */
import type { Shape } from "../api/client";
import { lookup, t } from "../locale";
import { said, type Guides } from "../desk/beside";

export function momentName(moment: Shape<"MomentOut">, guides: Guides): string {
  if (moment.kind === "marker") return lookup(`marker.${moment.what}`, t("marker.other"));
  const [list, item] = moment.what.split("/");
  const found = guides.checklists.find((one) => one.id === list)?.items.find((one) => one.id === item);
  return found ? said(found) : moment.what;
}
