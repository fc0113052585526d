// The messages said so far, as the API takes them.

export class Conversation {
  constructor() {
    this.messages = [];
  }

  say(text) {
    this.messages.push({ role: "user", content: text });
  }

  add(message) {
    this.messages.push(message);
  }

  /** Adds the tools' results, in the order of the calls. */
  addResults(calls, results) {
    calls.forEach((call, index) => this.add({ role: "tool", tool_call_id: call.id, content: results[index] }));
  }

  clear() {
    this.messages = [];
  }

  /** Takes the last user message and all that came after it back; returns its text, "" if there is none. */
  takeBack() {
    const index = this.lastUserIndex;
    if (index < 0) return "";
    return this.messages.splice(index)[0].content;
  }

  get lastUserIndex() {
    return this.messages.findLastIndex((message) => message.role === "user");
  }

  /** The messages up to the last one that was not the model's. */
  get asked() {
    return this.messages.slice(0, this.messages.findLastIndex((message) => message.role !== "assistant") + 1);
  }

  /** The calls that wait for their results. */
  get openCalls() {
    return this.messages.at(-1)?.tool_calls ?? [];
  }
}
