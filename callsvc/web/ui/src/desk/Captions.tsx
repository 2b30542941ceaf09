/** Live captions of both sides. What may still change looks and says so; a word of what is certain is put right in place. */
import { useEffect, useRef, useState } from "preact/hooks";
import { api, Problem } from "../api/client";
import { walk } from "../call/walking";
import { clock, number } from "../format";
import { t } from "../locale";
import { Icon } from "../parts/Icon";
import { Fault } from "../parts/Notice";
import { State } from "../parts/State";
import { useCaptioned, type Caption, type Captioned, type Standing } from "./captioned";

/** So many are on the screen; those before come when they are asked for. */
const SHOWN = 40;
const NEAR_END_PX = 60;

export function Captions({ call, correct = false }: { call: string; correct?: boolean }) {
  const captioned = useCaptioned(call);
  const standing = captioned.standing.value;
  const captions = captioned.captions.value;
  const [all, showAll] = useState(false);
  const box = useRef<HTMLOListElement>(null);
  const atEnd = useRef(true);
  useEffect(() => {
    if (box.current && atEnd.current) box.current.scrollTop = box.current.scrollHeight;
  }, [captions]);
  const shown = all ? captions : captions.slice(-SHOWN);
  return (
    <section class={`card captions ${standing?.state ?? ""}`} aria-labelledby="captions">
      <div class="notes-head">
        <h2 id="captions">{t("captions.title")}</h2>
        <p role="status">{standing && <State tone={tones[standing.state]}>{standingWords(standing)}</State>}</p>
      </div>
      {standing && standing.state !== "on" && <p class="hint">{t(standing.state === "off" ? (standing.why === "crowded" ? "captions.off.crowded.do" : "captions.off.do") : standing.state === "behind" ? "captions.behind.do" : "captions.lost.do")}</p>}
      {captions.length === 0 && standing?.state === "on" && <p class="empty">{t("captions.none")}</p>}
      {shown.length < captions.length && <p><button type="button" class="link" onClick={() => showAll(true)}>{t("captions.earlier")}</button></p>}
      {captions.length > 0 && (
        <ol class="caption-list" ref={box} tabIndex={0} aria-label={t("captions.label")} onScroll={() => {
          const list = box.current;
          if (list) atEnd.current = list.scrollHeight - list.scrollTop - list.clientHeight < NEAR_END_PX;
        }}>
          {shown.map((one) => <Line key={`${one.leg} ${one.n}`} call={call} caption={one} correct={correct} captioned={captioned} />)}
        </ol>
      )}
      {correct && captions.length > 0 && <p class="hint">{t("captions.hint")}</p>}
    </section>
  );
}

const tones = { on: "good", behind: "warn", off: "quiet", lost: "warn" } as const;

function standingWords(standing: Standing): string {
  switch (standing.state) {
    case "on": return t("captions.on");
    case "behind": return standing.delay_ms >= 1000 ? t("captions.behind.by", { s: number(standing.delay_ms / 1000) }) : t("captions.behind");
    case "lost": return t("captions.lost");
    case "off": return t(standing.why === "none" ? "captions.off.none" : standing.why === "ended" ? "captions.off.ended" : standing.why === "crowded" ? "captions.off.crowded" : "captions.off");
  }
}

type LineProps = { call: string; caption: Caption; correct: boolean; captioned: Captioned };

function Line({ call, caption, correct, captioned }: LineProps) {
  const [chosen, choose] = useState<number | null>(null);
  const words = caption.text.split(/\s+/);
  const can = correct && caption.final;
  const line = useRef<HTMLParagraphElement>(null);
  const done = (n: number) => {
    const field = document.activeElement;
    choose(null);
    // By a key one is back on the word; whoever went elsewhere stays there.
    requestAnimationFrame(() => {
      if (field?.isConnected && field !== document.body) return;
      const back = line.current?.querySelectorAll<HTMLElement>(".word")[n];
      for (const word of line.current?.querySelectorAll<HTMLElement>(".word") ?? []) word.tabIndex = word === back ? 0 : -1;
      back?.focus({ preventScroll: true });
    });
  };
  return (
    <li class={`caption ${caption.leg}${caption.final ? "" : " interim"}`}>
      <span class="caption-who"><span class="who">{t(`leg.${caption.leg}`)}</span> <span class="clock">{clock(caption.start_ms / 1000)}</span></span>
      <p ref={line} class="caption-said" lang="sv" data-arrows onKeyDown={walk}>
        {!can ? caption.text : words.map((word, n) => (
          <span key={n}>
            {chosen === n
              ? <Putting call={call} caption={caption} word={n} heard={word} captioned={captioned} close={() => done(n)} />
              : <span role="button" class="word" tabIndex={n === 0 ? 0 : -1} title={t("captions.correct")} onClick={() => choose(n)}
                onKeyDown={(event) => { if (event.key === "Enter" || event.key === " ") { event.preventDefault(); choose(n); } }}>{word}</span>}
            {" "}
          </span>
        ))}
        {!caption.final && <span class="interim-mark"> <Icon name="more" size={16} /><span class="unseen">{t("captions.interim")}</span></span>}
      </p>
      {caption.machine !== null && <span class="corrected" title={t("correct.machine", { text: caption.machine })}>{t("correct.mark")}</span>}
    </li>
  );
}

type PuttingProps = { call: string; caption: Caption; word: number; heard: string; captioned: Captioned; close: () => void };

/** The word as it is to read. The field is as long as the word, so that the line does not move. */
function Putting({ call, caption, word, heard, captioned, close }: PuttingProps) {
  const [meant, setMeant] = useState(heard);
  const [problem, setProblem] = useState<Problem>();
  const box = useRef<HTMLInputElement>(null);
  useEffect(() => box.current?.select(), []);
  const save = () => {
    if (!meant.trim() || meant.trim() === heard) {
      close();
      return;
    }
    api.put("/api/calls/{call_id}/captions/{leg}/{n}", { path: { call_id: call, leg: caption.leg, n: caption.n }, body: { word, heard, meant } })
      .then((after) => { captioned.put(after); close(); })
      .catch((fault: unknown) => setProblem(Problem.of(fault)));
  };
  return (
    <span class="putting">
      <input ref={box} value={meant} size={Math.max(4, meant.length + 1)} aria-label={t("captions.correct.label", { word: heard })} spellcheck={false} autocomplete="off"
        onInput={(event) => setMeant(event.currentTarget.value)} onBlur={() => !problem && save()}
        onKeyDown={(event) => {
          if (event.key === "Enter") save();
          else if (event.key === "Escape") close();
          else return;
          event.preventDefault();
          event.stopPropagation();
        }} />
      {problem && <Fault problem={problem} />}
    </span>
  );
}
