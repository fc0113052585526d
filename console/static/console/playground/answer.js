// One answer while it is streamed: what of it has come, and how fast.

const SHORTEST_SPAN = 0.1; // seconds; within less, chunks that arrive together would count as speed

export class Answer {
  /** now: returns milliseconds. */
  constructor(now = () => performance.now()) {
    this.content = "";
    this.reasoning = "";
    this.calls = [];
    this.finishReason = null;
    this.usage = null;
    this.now = now;
    this.sentAt = now();
    this.firstAt = null;
    this.lastAt = null;
  }

  /** Takes a chunk of a chat completion in. */
  add(chunk) {
    this.usage = chunk.usage ?? this.usage;
    for (const choice of chunk.choices) {
      this.addDelta(choice.delta);
      this.finishReason = choice.finish_reason ?? this.finishReason;
    }
  }

  addDelta(delta) {
    if (!(delta.content || delta.reasoning_content || delta.tool_calls)) return;
    this.lastAt = this.now();
    this.firstAt ??= this.lastAt;
    this.content += delta.content ?? "";
    this.reasoning += delta.reasoning_content ?? "";
    for (const call of delta.tool_calls ?? []) this.addCall(call);
  }

  addCall({ index, id, function: part }) {
    this.calls[index] ??= { id, type: "function", function: { name: part.name, arguments: "" } };
    this.calls[index].function.arguments += part.arguments ?? "";
  }

  get isEmpty() {
    return !this.content && !this.calls.length;
  }

  /** The message that continues the conversation. Calls that were cut off are no use there. */
  get message() {
    const message = { role: "assistant", content: this.content };
    if (this.reasoning) message.reasoning_content = this.reasoning;
    if (this.calls.length && this.finishReason) message.tool_calls = this.calls;
    return message;
  }

  /** Milliseconds until the first text came, null if none has. */
  get firstTokenMs() {
    return this.firstAt === null ? null : Math.round(this.firstAt - this.sentAt);
  }

  /** Tokens a second after the first one, null if too little has come to tell. */
  get tokensPerSecond() {
    const tokens = (this.usage?.completion_tokens ?? 0) - 1;
    const seconds = (this.lastAt - this.firstAt) / 1000;
    return tokens > 0 && seconds >= SHORTEST_SPAN ? tokens / seconds : null;
  }
}
