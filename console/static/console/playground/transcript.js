// The conversation on the page. Whatever a model writes is shown as plain text.

export class Transcript {
  /** onEdit: called when the last user message is to be changed; onResults: with the texts for the open calls. */
  constructor(list, texts, fill, { onEdit, onResults }) {
    Object.assign(this, { list, texts, fill, onEdit, onResults });
  }

  /** Shows a whole conversation. isBusy: an answer is on its way, so nothing can be changed. */
  show(conversation, isBusy) {
    const last = conversation.lastUserIndex;
    this.list.replaceChildren(
      ...conversation.messages.map((message, index) => this.message(message, index === last && !isBusy)),
    );
    if (conversation.openCalls.length && !isBusy) this.list.append(this.resultForm(conversation.openCalls));
    this.scrollDown();
  }

  /** Adds the place of an answer that is on its way; returns a function that shows what of it has come. */
  begin() {
    const item = this.item("assistant", this.texts.model);
    const text = element("div", "message-text");
    text.textContent = this.texts.waiting;
    text.classList.add("quiet");
    const reasoning = this.reasoning("");
    const calls = element("div");
    item.append(reasoning.box, text, calls);
    this.list.append(item);
    this.scrollDown();
    return (answer) => {
      const isAtEnd = this.isAtEnd;
      reasoning.show(answer.reasoning);
      text.classList.remove("quiet");
      text.textContent = answer.content;
      calls.replaceChildren(...answer.calls.map((call) => this.call(call)));
      if (isAtEnd) this.scrollDown();
    };
  }

  message(message, isEditable) {
    const names = { user: this.texts.you, assistant: this.texts.model, tool: this.fill(this.texts.toolResult, "") };
    const item = this.item(message.role, names[message.role].trim());
    if (isEditable) item.firstChild.append(button(this.texts.edit, this.onEdit));
    if (message.reasoning_content) {
      const reasoning = this.reasoning(message.reasoning_content);
      item.append(reasoning.box);
    }
    const text = element("div", "message-text");
    text.textContent = message.content ?? "";
    item.append(text, ...(message.tool_calls ?? []).map((call) => this.call(call)));
    return item;
  }

  item(role, name) {
    const item = element("li", `message message-${role}`);
    const head = element("div", "message-head");
    head.append(name);
    item.append(head);
    return item;
  }

  reasoning(text) {
    const box = element("details");
    const summary = element("summary");
    summary.textContent = this.texts.thinking;
    const inner = element("div", "reasoning");
    box.append(summary, inner);
    const show = (shown) => {
      box.hidden = !shown;
      inner.textContent = shown;
    };
    show(text);
    return { box, show };
  }

  call(call) {
    const box = element("div", "call");
    const name = element("div", "call-name");
    name.textContent = this.fill(this.texts.call, call.function.name);
    const given = element("pre");
    given.textContent = call.function.arguments;
    box.append(name, given);
    return box;
  }

  resultForm(calls) {
    const item = element("li", "message");
    const form = element("form");
    const fields = calls.map((call, index) => {
      const label = element("label");
      label.htmlFor = `result-${index}`;
      label.textContent = this.fill(this.texts.toolResult, call.function.name);
      const field = element("textarea");
      field.id = label.htmlFor;
      field.rows = 2;
      field.required = true;
      form.append(label, field);
      return field;
    });
    const send = element("button");
    send.textContent = this.texts.sendResults;
    form.append(send);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.onResults(fields.map((field) => field.value));
    });
    item.append(form);
    return item;
  }

  get isAtEnd() {
    return this.list.scrollHeight - this.list.scrollTop - this.list.clientHeight < 40;
  }

  scrollDown() {
    this.list.scrollTop = this.list.scrollHeight;
  }
}

function element(name, className = "") {
  const made = document.createElement(name);
  if (className) made.className = className;
  return made;
}

function button(text, onClick) {
  const made = element("button", "button-quiet");
  made.type = "button";
  made.textContent = text;
  made.addEventListener("click", onClick);
  return made;
}
