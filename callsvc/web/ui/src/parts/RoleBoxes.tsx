/** The roles, each with what it lets one do. */
import type { Shape } from "../api/client";
import { t } from "../locale";

export type Role = Shape<"User">["roles"][number];
export const roles: readonly Role[] = ["operator", "investigator", "qa", "admin"];

export function RoleBoxes({ chosen, choose }: { chosen: Role[]; choose: (roles: Role[]) => void }) {
  return (
    <fieldset class="roles">
      <legend>{t("users.roles")}</legend>
      {roles.map((role) => (
        <label key={role} class="check">
          <input type="checkbox" checked={chosen.includes(role)}
            onChange={(event) => choose(event.currentTarget.checked ? [...chosen, role] : chosen.filter((other) => other !== role))} />
          <span>{t(`role.${role}`)}<span class="hint">{t(`role.${role}.hint`)}</span></span>
        </label>
      ))}
    </fieldset>
  );
}
