/** How many calls of a rule would go, are held, and wait: lengths, patterns and figures, and colour only besides. */
import { t } from "../locale";
import { number } from "../format";
import type { Rule } from "./retention";

const WIDTH = 300;

export function Bar({ rule, most, n }: { rule: Rule; most: number; n: number }) {
  const parts = [["due", rule.due], ["held", rule.held], ["waiting", rule.waiting]] as const;
  let at = 0;
  return (
    <div class="keep-bar">
      <svg viewBox={`0 0 ${WIDTH} 18`} preserveAspectRatio="none" aria-hidden="true" focusable="false">
        <defs>
          <pattern id={`held-${n}`} width="5" height="5" patternUnits="userSpaceOnUse"><path class="keep-hatch" d="M0 5 5 0" /></pattern>
        </defs>
        {parts.map(([name, many]) => {
          const width = most ? (WIDTH * many) / most : 0;
          const x = at;
          at += width;
          return many > 0 && <g key={name}>
            <rect class={`keep-${name}`} x={x} y={1} width={Math.max(2, width)} height={16} />
            {name === "held" && <rect x={x} y={1} width={Math.max(2, width)} height={16} fill={`url(#held-${n})`} />}
          </g>;
        })}
      </svg>
      <dl class="keep-figures">
        {parts.map(([name, many]) => <div key={name}><dt><span class={`keep-key keep-${name}`} aria-hidden="true" />{t(`retention.${name}`)}</dt><dd>{number(many)}</dd></div>)}
      </dl>
    </div>
  );
}
