// The parameters beside the conversation.

const NUMBERS = ["temperature", "top_p", "top_k", "min_p", "max_tokens", "seed"];
const EXAMPLES = {
  tools: [{
    type: "function",
    function: {
      name: "get_weather",
      description: "The current weather in a city.",
      parameters: { type: "object", properties: { city: { type: "string" } }, required: ["city"] },
    },
  }],
  schema: {
    type: "object",
    properties: { city: { type: "string", maxLength: 40 }, is_capital: { type: "boolean" } },
    required: ["city", "is_capital"],
    additionalProperties: false,
  },
};

/** A field that cannot be sent; the message is for people. */
export class FormError extends Error {}

export class ParameterForm {
  /** fill: puts values into a text of `texts`. */
  constructor(form, texts, fill) {
    this.fields = form.elements;
    this.texts = texts;
    this.fill = fill;
    for (const button of form.querySelectorAll("[data-example]")) {
      button.addEventListener("click", () => this.insertExample(button.dataset.example));
    }
  }

  get model() {
    return this.fields.model.value;
  }

  /** The body of a request that goes on with these messages. Raises FormError. */
  body(messages) {
    const system = this.fields.system.value.trim();
    const all = system ? [{ role: "system", content: system }, ...messages] : messages;
    const body = { model: this.model, messages: all, stream: true, ...this.numbers() };
    if (this.fields.reasoning_effort.value) body.reasoning_effort = this.fields.reasoning_effort.value;
    return { ...body, ...this.tools(), ...this.responseFormat() };
  }

  numbers() {
    const numbers = {};
    for (const name of NUMBERS) {
      const field = this.fields[name];
      if (field.validity.badInput) throw new FormError(this.fill(this.texts.notANumber, name));
      if (field.value !== "") numbers[name] = Number(field.value);
    }
    return numbers;
  }

  tools() {
    const tools = this.json("tools", this.texts.toolsNoJson);
    if (tools === undefined) return {};
    if (!Array.isArray(tools)) throw new FormError(this.texts.toolsNoList);
    return { tools };
  }

  responseFormat() {
    const schema = this.json("schema", this.texts.schemaNoJson);
    if (schema === undefined) return {};
    if (schema === null || typeof schema !== "object" || Array.isArray(schema)) throw new FormError(this.texts.schemaNoObject);
    return { response_format: { type: "json_schema", json_schema: { name: "answer", strict: true, schema } } };
  }

  json(name, complaint) {
    const text = this.fields[name].value.trim();
    if (!text) return undefined;
    try {
      return JSON.parse(text);
    } catch (error) {
      throw new FormError(this.fill(complaint, error.message));
    }
  }

  /** Shows what holds where nothing is filled in. */
  showDefaults(defaults) {
    const absent = { max_tokens: this.texts.noLimit, seed: this.texts.random };
    for (const name of NUMBERS) {
      this.fields[name].placeholder = this.fill(this.texts.default, defaults[name] ?? absent[name]);
    }
    this.fields.system.placeholder = defaults.system_prompt;
  }

  insertExample(name) {
    this.fields[name].value = JSON.stringify(EXAMPLES[name], null, 2);
    this.fields[name].dispatchEvent(new Event("input", { bubbles: true }));
    this.fields[name].focus();
  }
}
