/** Calls that were found, newest first, each with the sentences in which it was said. A sentence leads to its place. */
import type { Shape } from "../api/client";
import { clock, moment } from "../format";
import { lookup, t, tn } from "../locale";
import { profileName } from "../call/words";
import { callAddress, caseAddress } from "../router";
import { Icon } from "../parts/Icon";

const BEFORE_MS = 1500;

type Props = { calls: Shape<"FoundCallOut">[]; more: (() => void) | null; sought: boolean };

export function Found({ calls, more, sought }: Props) {
  return (
    <section aria-labelledby="found">
      <h2 id="found">{t("found.title")}</h2>
      <p role="status" class="hint">{calls.length === 0 ? t("found.none") : `${tn("calls.count", calls.length)}${more ? ` ${t("found.and_more")}` : ""}`}</p>
      <ol class="found">
        {calls.map((call) => (
          <li key={call.call_id} class="card found-call">
            <div class="found-head">
              <h3><a href={callAddress(call.call_id)}>{profileName(call.profile)}, <time datetime={call.started_at}>{moment(call.started_at)}</time></a></h3>
              <p class="aside">
                <span class="clock">{clock((call.length_ms ?? 0) / 1000)}</span>
                {call.case && <> · <a href={caseAddress(call.case)}>{call.case}</a></>}
                {call.operator && <> · {call.operator}</>}
                {call.language && <> · {lookup(`language.${call.language}`, call.language)}</>}
                {" · "}<Icon name={call.opened ? "eye" : "lock"} size={15} /> {t(call.opened ? "found.opened" : "found.closed")}
              </p>
            </div>
            {sought && (
              <ol class="hits">
                {call.sentences.map((one, n) => (
                  <li key={n} class={`hit ${one.leg}`}>
                    <a class="button small" href={callAddress(call.call_id, Math.max(0, one.start_ms - BEFORE_MS))} aria-label={t("found.to", { at: clock(one.start_ms / 1000) })}><Icon name="play" size={16} /><span class="clock">{clock(one.start_ms / 1000)}</span></a>
                    <div>
                      <p class="hit-said" lang={call.language ?? "sv"} dir="auto">{one.words.map((word, at) => <span key={at}>{word.found ? <mark>{word.text}</mark> : word.text} </span>)}</p>
                      <p class="aside">{t(`leg.${one.leg}`)}{one.replaced && `. ${t("told.replaced")}`}</p>
                    </div>
                  </li>
                ))}
              </ol>
            )}
          </li>
        ))}
      </ol>
      {more && <button type="button" class="button" onClick={more}>{t("calls.more")}</button>}
    </section>
  );
}
