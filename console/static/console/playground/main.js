// The playground: ties the conversation, the form, the snippets and the page together.

import { activateCopyButtons } from "../copy.js";
import { Answer } from "./answer.js";
import { Conversation } from "./conversation.js";
import { figuresOf } from "./figures.js";
import { FormError, ParameterForm } from "./form.js";
import { RequestError, send } from "./request.js";
import { snippets } from "./snippets.js";
import { Transcript } from "./transcript.js";

const byId = (id) => document.getElementById(id);
const fill = (text, value) => text.replace("{0}", value);

class Playground {
  constructor({ chatUrl, factsUrl, needsKey, csrfToken, texts }) {
    Object.assign(this, { chatUrl, factsUrl, needsKey, csrfToken, texts });
    this.conversation = new Conversation();
    this.form = new ParameterForm(byId("parameters"), texts, fill);
    const reactions = { onEdit: () => this.edit(), onResults: (results) => this.sendResults(results) };
    this.transcript = new Transcript(byId("transcript"), texts, fill, reactions);
    this.stopping = null;
    this.listen();
    this.showModel();
    this.showSnippets();
    // Before, the browser itself would have sent the form, and with it the page and the message.
    byId("send").disabled = !("mayChat" in byId("send").dataset);
  }

  listen() {
    byId("composer").addEventListener("submit", (event) => {
      event.preventDefault();
      this.sendMessage();
    });
    byId("message").addEventListener("keydown", (event) => this.onKey(event));
    byId("message").addEventListener("input", () => this.showSnippets());
    byId("parameters").addEventListener("submit", (event) => event.preventDefault());
    byId("parameters").addEventListener("input", () => this.showSnippets());
    byId("model").addEventListener("change", () => this.changeModel());
    byId("stop").addEventListener("click", () => this.stopping?.abort());
    byId("clear").addEventListener("click", () => this.clear());
    activateCopyButtons(byId("playground"), this.texts, (text) => this.say(text));
  }

  onKey(event) {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    this.sendMessage();
  }

  sendMessage() {
    const text = byId("message").value.trim();
    if (!text || this.stopping || byId("send").disabled || this.conversation.openCalls.length) return;
    this.ask(() => {
      this.conversation.say(text);
      byId("message").value = "";
    });
  }

  sendResults(results) {
    this.ask(() => this.conversation.addResults(this.conversation.openCalls, results));
  }

  /** Checks the form, then changes the conversation and asks for its continuation. */
  async ask(change) {
    try {
      this.form.body([]);
    } catch (error) {
      this.showError(error);
      return;
    }
    change();
    await this.stream(this.form.body(this.conversation.messages));
  }

  async stream(body) {
    const answer = new Answer();
    this.begin();
    const show = this.transcript.begin();
    const { chatUrl: url, csrfToken, texts } = this;
    try {
      await send(body, answer, { url, csrfToken, texts, fill, signal: this.stopping.signal, onNews: show });
      this.say(`${this.texts.answered} ${answer.content}`);
    } catch (error) {
      if (this.stopping.signal.aborted) this.say(this.texts.stopped);
      else this.showError(error);
    }
    this.end(answer);
  }

  begin() {
    this.stopping = new AbortController();
    this.showError(null);
    this.transcript.show(this.conversation, true);
    byId("figures").textContent = "";
    this.say(this.texts.waiting);
    this.showBusy(true);
  }

  end(answer) {
    const wasStopped = this.stopping.signal.aborted;
    this.stopping = null;
    if (!answer.isEmpty) this.conversation.add(answer.message);
    this.transcript.show(this.conversation, false);
    byId("figures").textContent = [figuresOf(answer, this.texts, fill), wasStopped && this.texts.stopped].filter(Boolean).join(" · ");
    this.showBusy(false);
    this.showSnippets();
  }

  showBusy(isBusy) {
    byId("stop").hidden = !isBusy;
    byId("send").hidden = isBusy;
    byId("clear").disabled = isBusy;
    byId("transcript").setAttribute("aria-busy", isBusy);
  }

  edit() {
    byId("message").value = this.conversation.takeBack();
    this.transcript.show(this.conversation, false);
    byId("message").focus();
    this.showSnippets();
  }

  clear() {
    this.conversation.clear();
    this.transcript.show(this.conversation, false);
    this.showError(null);
    byId("figures").textContent = "";
    byId("message").focus();
    this.showSnippets();
  }

  changeModel() {
    const address = new URL(window.location);
    address.searchParams.set("model", this.form.model);
    window.history.replaceState(null, "", address);
    this.showModel();
  }

  /** Shows what holds for the chosen model where nothing is filled in. */
  async showModel() {
    const model = this.form.model;
    try {
      const response = await fetch(`${this.factsUrl}?${new URLSearchParams({ model })}`);
      const facts = await response.json();
      if (model !== this.form.model) return;
      if (facts.error) throw new RequestError(facts.error.message);
      this.form.showDefaults(facts.defaults);
      byId("context").textContent = fill(byId("context").dataset.label, facts.context);
    } catch (error) {
      this.showError(error);
    }
  }

  showSnippets() {
    try {
      const body = this.form.body(this.messagesToShow());
      const made = snippets(body, `${window.location.origin}/v1`, this.needsKey);
      for (const [name, snippet] of Object.entries(made)) byId(`snippet-${name}`).textContent = snippet;
    } catch (error) {
      if (!(error instanceof FormError)) throw error; // shown when it is sent
    }
  }

  /** The conversation with what is being written; without that, up to what was asked last. */
  messagesToShow() {
    const text = byId("message").value.trim() || (this.conversation.messages.length ? "" : "Hello!");
    return text ? [...this.conversation.messages, { role: "user", content: text }] : this.conversation.asked;
  }

  showError(error) {
    byId("error").hidden = error === null;
    byId("error").textContent = error === null ? "" : error.message;
  }

  say(text) {
    byId("status").textContent = text;
  }
}

const data = document.getElementById("playground-data");
if (data && byId("composer")) new Playground(JSON.parse(data.textContent));
