/** One catalogue: edited as a form or as its text, checked at each field; every version can be looked at and brought back. */
import { api } from "../api/client";
import { Editor } from "../admin/Editor";
import { Nodes } from "../admin/Nodes";
import { Versions } from "../admin/Versions";
import { lookup, t } from "../locale";
import { useResource } from "../resource";
import { addresses } from "../router";
import { Icon } from "../parts/Icon";
import { Fault, Notice } from "../parts/Notice";
import { Page } from "../parts/Page";

export function Catalogue({ kind }: { kind: string }) {
  const found = useResource((signal) => api.get("/api/catalogues/{kind}", { path: { kind }, signal }), [kind]);
  const name = lookup(`catalogue.${kind}`, kind);
  return (
    <Page title={name} lead={lookup(`catalogue.${kind}.hint`, "")}
      before={<p class="way-back"><a href={addresses.catalogues}><Icon name="left" size={18} />{t("catalogues.title")}</a></p>}>
      {found.problem && !found.data && <Fault problem={found.problem} retry={found.reload} />}
      {found.data?.in_settings && <Notice tone="warn" title={t("catalogue.in_settings")}><p>{t("catalogue.in_settings.hint")}</p></Notice>}
      {found.data && <Editor told={found.data} saved={found.reload} />}
      {found.data && <Nodes told={found.data} reload={found.reload} />}
      {found.data && <Versions told={found.data} done={found.reload} />}
    </Page>
  );
}
