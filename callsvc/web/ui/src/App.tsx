/** Which page stands on the screen, and for whom. */
import { useEffect, useState } from "preact/hooks";
import { Problem } from "./api/client";
import { useKeys } from "./keys";
import { Call } from "./pages/Call";
import { Calls } from "./pages/Calls";
import { Case } from "./pages/Case";
import { Cases } from "./pages/Cases";
import { Catalogue } from "./pages/Catalogue";
import { Catalogues } from "./pages/Catalogues";
import { Desk } from "./pages/Desk";
import { Health } from "./pages/Health";
import { AccessLog } from "./pages/AccessLog";
import { Missing } from "./pages/Missing";
import { Models } from "./pages/Models";
import { Password } from "./pages/Password";
import { Retention } from "./pages/Retention";
import { Review } from "./pages/Review";
import { ReviewFigures } from "./pages/ReviewFigures";
import { Reviews } from "./pages/Reviews";
import { SignIn } from "./pages/SignIn";
import { Unlocked } from "./pages/Unlocked";
import { Told } from "./pages/Told";
import { Users } from "./pages/Users";
import { LockWarning } from "./account/LockScreen";
import { Fault } from "./parts/Notice";
import { Help, helpOpen } from "./parts/Help";
import { Shell } from "./parts/Shell";
import { path, place, type Place } from "./router";
import { ask, may, me, type Right } from "./session";

const needs: Partial<Record<Place["page"], Right>> = {
  calls: "call.list",
  call: "call.list",
  desk: "call.take",
  cases: "case.read",
  case: "case.read",
  users: "users.admin",
  log: "trail.read",
  catalogues: "rules.edit",
  catalogue: "rules.edit",
  health: "health.read",
  retention: "retention.read",
  models: "health.read",
  reviews: "review.work",
  review: "review.work",
  reviewFigures: "review.figures",
  told: "review.answer",
};

export function App() {
  const [problem, setProblem] = useState<Problem>();
  const start = () => {
    setProblem(undefined);
    ask().catch((fault: unknown) => setProblem(Problem.of(fault)));
  };
  useEffect(start, []);
  useKeys({ help: () => (helpOpen.value = true) });
  if (problem) return <main class="alone"><Fault problem={problem} retry={start} /></main>;
  if (me.value === undefined) return null;
  if (me.value === null) return <><SignIn /><Help page="signin" /></>;
  if (me.value.must_change_password) return <><Password first /><Help page="password" /></>;
  if (me.value.must_add_factor) return <><Password bare /><Help page="password" /></>;
  const wanted = place(path.value);
  const right = needs[wanted.page];
  const at: Place = right && !may(right) ? { page: "missing" } : wanted;
  return (
    <>
      <Shell>{page(at)}</Shell>
      <LockWarning />
      <Help page={at.page} />
    </>
  );
}

function page(at: Place) {
  switch (at.page) {
    case "calls": return <Calls />;
    case "cases": return <Cases />;
    case "case": return <Case key={at.number} number={at.number} />;
    case "desk": return <Desk />;
    case "call": return <Call key={at.id} id={at.id} />;
    case "reviews": return <Reviews />;
    case "review": return <Review key={at.id} id={at.id} />;
    case "reviewFigures": return <ReviewFigures />;
    case "told": return <Told />;
    case "users": return <Users />;
    case "log": return <AccessLog />;
    case "catalogues": return <Catalogues />;
    case "catalogue": return <Catalogue key={at.kind} kind={at.kind} />;
    case "health": return <Health />;
    case "retention": return <Retention />;
    case "models": return <Models />;
    case "password": return <Password />;
    case "unlocked": return <Unlocked />;
    case "missing": return <Missing />;
  }
}
