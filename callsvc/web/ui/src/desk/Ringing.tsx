/** A caller who waits, on whichever page the operator is. It takes no focus: whoever types goes on typing. */
import { useEffect } from "preact/hooks";
import { profileName } from "../call/words";
import { hint, useKeys } from "../keys";
import { t } from "../locale";
import { Clock } from "../parts/Clock";
import { Icon } from "../parts/Icon";
import { answer, leg, shift } from "../phone/shift";
import { addresses, go, path } from "../router";
import { useHeadsetKeys } from "../phone/headset";
import { nameOf } from "./lines";
import { InTheCall } from "./Strip";

export function Ringing() {
  const offer = leg.value ? null : shift.value?.offer ?? null;
  const take = () => {
    if (!offer) return;
    go(addresses.desk, { urgent: true });
    void answer(offer.call_id);
  };
  useKeys(offer ? { answer: take, headset: take } : {});
  useHeadsetKeys(leg.value !== null || Boolean(shift.value?.available_since));
  useEffect(() => {
    if (!offer) return undefined;
    const before = document.title;
    document.title = `● ${t("ring.title")}`;
    return () => {
      document.title = before;
    };
  }, [offer?.call_id]);
  if (leg.value && path.value !== addresses.desk) return <aside aria-label={t("desk.in_call")}><InTheCall leg={leg.value} /></aside>;
  return (
    <div class="ringing-place" role="alert">
      {offer && (
        <div class="ringing">
          <span class="ringing-mark" aria-hidden="true"><Icon name="phone" size={30} /></span>
          <div class="ringing-words">
            <p class="ringing-title">{t("ring.title")}</p>
            <p>{nameOf(offer)}{offer.line && <span class="tag">{profileName(offer.profile)}</span>}{offer.line?.queue && <span class="tag">{t("ring.queue", { queue: offer.line.queue })}</span>}{offer.demo && <span class="tag">{t("calls.demo.tag")}</span>} <span class="aside">{t("ring.waited")} <Clock since={offer.since} /></span></p>
          </div>
          <button type="button" class="button answer" onClick={take} aria-keyshortcuts="Shift+F2">
            <Icon name="phone" />{t("ring.answer")}<kbd>{hint("answer")}</kbd>
          </button>
        </div>
      )}
    </div>
  );
}
