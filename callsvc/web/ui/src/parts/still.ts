/** A component that is drawn anew only when something of what it is given has changed: for rows of long lists. */
import { Component, h, type FunctionComponent } from "preact";

export function still<P extends object>(of: FunctionComponent<P>): FunctionComponent<P> {
  class Still extends Component<P> {
    override shouldComponentUpdate(next: P): boolean {
      const before = this.props as P;
      const names = Object.keys(next) as (keyof P)[];
      return names.length !== Object.keys(before).filter((name) => name !== "children").length || names.some((name) => next[name] !== before[name]);
    }

    override render() {
      return h(of, this.props as P);
    }
  }
  return Still as unknown as FunctionComponent<P>;
}
