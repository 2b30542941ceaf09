import "@fontsource-variable/atkinson-hyperlegible-next";
import "./styles/fonts.css";
import "./styles/tokens.css";
import "./styles/base.css";
import "./styles/parts.css";
import "./styles/shell.css";
import "./styles/pages.css";
import "./styles/forms.css";
import "./styles/call.css";
import "./styles/desk.css";
import "./styles/review.css";
import { render } from "preact";
import { App } from "./App";
import { hang } from "./account/curtain";
import { choose, lang } from "./locale";
import { holdFocus } from "./parts/focus";
import { onLink } from "./router";

choose(lang.value);
addEventListener("click", onLink);
const root = document.getElementById("app");
if (root) {
  render(<App />, root);
  hang(root);
  holdFocus(root);
}
