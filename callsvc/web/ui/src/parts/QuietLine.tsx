/** The product in one picture: speech and key strokes go in on the left; speech alone comes out on the right. */
const WIDTH = 480;
const HEIGHT = 560;
const MIDDLE = HEIGHT / 2;
const STEP = 8;

/** A repeatable number in 0..1 for a place; no two pictures differ. */
function noise(n: number): number {
  const x = Math.sin(n * 127.1 + 11.7) * 43758.5453;
  return x - Math.floor(x);
}

function voice(x: number): number {
  const phrase = Math.max(0, Math.sin(x / 25 + 0.7)) ** 1.2;
  return 5 + phrase * (34 + 52 * noise(x));
}

export function QuietLine() {
  const bars = Array.from({ length: Math.floor(WIDTH / STEP) }, (_, n) => n * STEP + STEP / 2);
  const gate = WIDTH * 0.52;
  return (
    <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} class="quiet-line" preserveAspectRatio="xMidYMid slice">
      <g class="voice">
        {bars.map((x) => <line key={x} x1={x} x2={x} y1={MIDDLE - voice(x)} y2={MIDDLE + voice(x)} />)}
      </g>
      <g class="strokes">
        {bars.filter((_, n) => noise(n + 3) > 0.55).map((x) => {
          const left = Math.max(0, 1 - Math.max(0, x - gate + 70) / 70);
          const tall = left * (70 + 80 * noise(x + 5));
          return tall > 3 ? <line key={x} x1={x} x2={x} y1={MIDDLE - tall} y2={MIDDLE + tall} />
            : <circle key={x} cx={x} cy={MIDDLE} r="2" />;
        })}
      </g>
      <line class="threshold" x1={gate} x2={gate} y1="70" y2={HEIGHT - 70} />
    </svg>
  );
}
