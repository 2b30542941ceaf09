/** Something fetched that stays current: what was last known is shown while the next answer is on its way. */
import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { Problem } from "./api/client";
import { heard, useLive } from "./live";

export type Resource<T> = { data: T | undefined; problem: Problem | undefined; reload: () => void };

export function useResource<T>(load: (signal: AbortSignal) => Promise<T>, deps: readonly unknown[], topics: readonly string[] = []): Resource<T> {
  const [data, setData] = useState<T>();
  const [problem, setProblem] = useState<Problem>();
  const running = useRef<AbortController | null>(null);
  const again = useRef(false);

  const reload = useCallback(() => {
    if (running.current) {
      again.current = true; // one more when this one is done, however many asked
      return;
    }
    const control = new AbortController();
    running.current = control;
    load(control.signal)
      .then((answer) => {
        if (control.signal.aborted) return;
        heard(true);
        setData(() => answer);
        setProblem(undefined);
      })
      .catch((fault: unknown) => {
        if (control.signal.aborted) return;
        const told = Problem.of(fault);
        heard(told.code !== "unreachable");
        setProblem(told);
      })
      .finally(() => {
        if (running.current !== control) return;
        running.current = null;
        if (again.current) {
          again.current = false;
          reload();
        }
      });
  }, deps);

  useEffect(() => {
    reload();
    return () => {
      running.current?.abort();
      running.current = null;
      again.current = false;
    };
  }, [reload]);
  useLive(topics, reload);
  return { data, problem, reload };
}
