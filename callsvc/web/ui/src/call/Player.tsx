/** Both parties in step; the operator as the caller heard it, or, where it was kept, as the microphone heard it. */
import { useEffect, useMemo } from "preact/hooks";
import { api, type Shape } from "../api/client";
import { clock, number } from "../format";
import { hint, useKeys } from "../keys";
import { t } from "../locale";
import { useResource } from "../resource";
import { placeInCall } from "../router";
import { Icon } from "../parts/Icon";
import { Fault, Notice } from "../parts/Notice";
import { Lanes, lanesOf } from "./Lanes";
import { Repeat } from "./Repeat";
import { speeds, type Sound } from "./sound";
import { strokesLane } from "./strokes";
import { Waveform } from "./Waveform";

const SKIP_S = 5;

export function Player({ call, sound }: { call: Shape<"CallDetail">; sound: Sound }) {
  const has = call.recording !== null && call.tracks.length > 0;
  const peaks = useResource(
    async (signal) => (has ? api.get("/api/calls/{call_id}/peaks", { path: { call_id: call.id }, signal }) : null),
    [call.id, has],
  );
  useEffect(() => {
    if (!peaks.data) return;
    sound.load(peaks.data.channels, peaks.data.duration_ms / 1000);
    // An address may name a place: it stands there, and nothing sounds before somebody plays it.
    const at = placeInCall();
    if (at !== null) sound.seek(at);
  }, [peaks.data]);
  useEffect(() => () => sound.close(), [sound]);
  const side = sound.side.value;
  const hasRaw = peaks.data?.channels.includes("operator.rx") ?? false;
  const shown = useMemo(() => ["caller.rx", side === "raw" ? "operator.rx" : "operator.tx"], [side]);
  useKeys({
    play: () => sound.toggle(),
    back: () => sound.skip(-SKIP_S),
    forward: () => sound.skip(SKIP_S),
    slower: () => sound.stepSpeed(-1),
    faster: () => sound.stepSpeed(1),
    side: () => hasRaw && sound.setSide(side === "raw" ? "cleaned" : "raw"),
  });
  const done = useResource(
    async (signal) => (has ? api.get("/api/calls/{call_id}/lanes", { path: { call_id: call.id }, signal }) : null),
    [call.id, has],
  );

  const typing = useResource(
    async (signal) => (has ? api.get("/api/calls/{call_id}/typing", { path: { call_id: call.id }, signal }) : null),
    [call.id, has],
  );
  const lanes = useMemo(() => [...strokesLane(typing.data), ...lanesOf(done.data?.done ?? [], call.tracks)], [typing.data, done.data, call.tracks]);

  if (!has) return <section class="card" aria-labelledby="player"><h2 id="player">{t("player.title")}</h2><p class="empty">{t("player.none")}</p></section>;
  const playing = sound.playing.value;
  const heard = sound.heard.value;
  return (
    <section class="card player" aria-labelledby="player">
      <h2 id="player" tabIndex={-1}>{t("player.title")}</h2>
      {peaks.problem && !peaks.data && <Fault problem={peaks.problem} retry={peaks.reload} />}
      {sound.failed.value && <Notice tone="bad" title={t("player.failed")}><p>{t("player.failed.hint")}</p></Notice>}
      {peaks.data && <Waveform peaks={peaks.data} tracks={call.tracks} sound={sound} shown={shown} />}
      {peaks.data && <Lanes lanes={lanes} seconds={peaks.data.duration_ms / 1000} sound={sound} />}
      <div class="controls">
        <div class="transport">
          <button type="button" class="button round" onClick={() => sound.skip(-SKIP_S)} aria-label={t("player.back", { s: SKIP_S })}
            title={`${t("player.back", { s: SKIP_S })} (${hint("back")})`}><Icon name="back" /></button>
          <button type="button" class="button round primary big" onClick={() => sound.toggle()} aria-label={playing ? t("player.pause") : t("player.play")}
            title={`${playing ? t("player.pause") : t("player.play")} (${hint("play")})`}><Icon name={playing ? "pause" : "play"} size={26} /></button>
          <button type="button" class="button round" onClick={() => sound.skip(SKIP_S)} aria-label={t("player.forward", { s: SKIP_S })}
            title={`${t("player.forward", { s: SKIP_S })} (${hint("forward")})`}><Icon name="forward" /></button>
          <p class="at"><At sound={sound} /> <span class="of">/ {clock((peaks.data?.duration_ms ?? call.length_ms ?? 0) / 1000)}</span></p>
        </div>
        <Repeat sound={sound} />
        <label class="speed"><span>{t("player.speed")}</span>
          <select value={String(sound.speed.value)} onChange={(event) => sound.setSpeed(Number(event.currentTarget.value))}>
            {speeds.map((speed) => <option key={speed} value={String(speed)}>{`${number(speed, 2)} ×`}</option>)}
          </select>
        </label>
        <fieldset class="listen">
          <legend>{t("player.listen")}</legend>
          <label class="check"><input type="checkbox" checked={heard.caller} onChange={(event) => sound.setHeard("caller", event.currentTarget.checked)} /><span>{t("leg.caller")}</span></label>
          <label class="check"><input type="checkbox" checked={heard.operator} onChange={(event) => sound.setHeard("operator", event.currentTarget.checked)} /><span>{t("leg.operator")}</span></label>
        </fieldset>
        {hasRaw && (
          <fieldset class="sides" title={`${t("player.side")} (${hint("side")})`}>
            <legend>{t("player.side")}</legend>
            <div class="segments">
              {(["cleaned", "raw"] as const).map((name) => (
                <label key={name} class="segment"><input type="radio" name="side" checked={side === name} onChange={() => sound.setSide(name)} /><span>{t(`player.side.${name}`)}</span></label>
              ))}
            </div>
          </fieldset>
        )}
      </div>
    </section>
  );
}

/** The place in the call: it alone is drawn anew with each frame. */
function At({ sound }: { sound: Sound }) {
  return <span class="clock">{clock(sound.at.value)}</span>;
}
