// The copy buttons of the page with LibreChat's configuration.
import { activateCopyButtons } from "./copy.js";

const { texts } = JSON.parse(document.getElementById("librechat-data").textContent);
const status = document.getElementById("status");
activateCopyButtons(document, texts, (text) => { status.textContent = text; });
