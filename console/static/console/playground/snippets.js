// A request as text for other programs.

const KEY_VARIABLE = "LLM_API_KEY";
const ANY_KEY = "any-text";
// What the official Python client has arguments for; anything else goes through extra_body.
const KNOWN = new Set([
  "model", "messages", "stream", "temperature", "top_p", "max_tokens", "seed", "reasoning_effort", "tools", "response_format",
]);
const SENT_BY_LIBRECHAT = new Set(["model", "messages", "stream", "tools"]);

/** Returns a text for each name: curl, python, javascript, librechat. */
export function snippets(body, baseUrl, needsKey) {
  return {
    curl: curl(body, baseUrl, needsKey),
    python: python(body, baseUrl, needsKey),
    javascript: javascript(body, baseUrl, needsKey),
    librechat: librechat(body, baseUrl, needsKey),
  };
}

function curl(body, baseUrl, needsKey) {
  const key = needsKey ? ` \\\n  -H "Authorization: Bearer $${KEY_VARIABLE}"` : "";
  const data = JSON.stringify(body, null, 2).replaceAll("'", "'\\''");
  return `curl -N ${baseUrl}/chat/completions${key} \\\n  -H "Content-Type: application/json" \\\n  -d '${data}'`;
}

function python(body, baseUrl, needsKey) {
  const entries = Object.entries(body);
  const known = entries.filter(([name]) => KNOWN.has(name)).map(([name, value]) => `    ${name}=${literal(value, 4)},`);
  const extra = Object.fromEntries(entries.filter(([name]) => !KNOWN.has(name)));
  const lines = Object.keys(extra).length ? [...known, `    extra_body=${literal(extra, 4)},`] : known;
  const key = needsKey ? `os.environ["${KEY_VARIABLE}"]` : `"${ANY_KEY}"`;
  return `${needsKey ? "import os\n\n" : ""}from openai import OpenAI

client = OpenAI(base_url=${literal(baseUrl)}, api_key=${key})
stream = client.chat.completions.create(
${lines.join("\n")}
)
for chunk in stream:
    for choice in chunk.choices:
        print(choice.delta.content or choice.delta.tool_calls or "", end="", flush=True)
print()
`;
}

/** A value as Python writes it. */
function literal(value, indent = 0) {
  if (value === null) return "None";
  if (typeof value === "boolean") return value ? "True" : "False";
  if (typeof value !== "object") return JSON.stringify(value);
  const isList = Array.isArray(value);
  const items = isList
    ? value.map((each) => literal(each, indent + 4))
    : Object.entries(value).map(([name, each]) => `${JSON.stringify(name)}: ${literal(each, indent + 4)}`);
  const [open, close] = isList ? "[]" : "{}";
  if (!items.length) return open + close;
  const inner = " ".repeat(indent + 4);
  return `${open}\n${items.map((item) => `${inner}${item},`).join("\n")}\n${" ".repeat(indent)}${close}`;
}

function javascript(body, baseUrl, needsKey) {
  const key = needsKey ? `process.env.${KEY_VARIABLE}` : JSON.stringify(ANY_KEY);
  return `import OpenAI from "openai";

const client = new OpenAI({ baseURL: ${JSON.stringify(baseUrl)}, apiKey: ${key} });
const stream = await client.chat.completions.create(${JSON.stringify(body, null, 2)});
for await (const chunk of stream) {
  for (const { delta } of chunk.choices) process.stdout.write(delta.content ?? JSON.stringify(delta.tool_calls) ?? "");
}
`;
}

/** JSON values are YAML, too, so that no name and no text needs quoting rules of its own. */
function librechat(body, baseUrl, needsKey) {
  const added = Object.entries(body).filter(([name]) => !SENT_BY_LIBRECHAT.has(name));
  const system = body.messages.find((message) => message.role === "system");
  const lines = added.map(([name, value]) => `        ${name}: ${JSON.stringify(value)}`);
  const note = system ? "# The system prompt belongs into LibreChat's own settings of the conversation (Custom Instructions).\n" : "";
  return `${note}version: 1.3.17
cache: true
endpoints:
  custom:
    - name: Local GGUF
      apiKey: ${needsKey ? `"\${${KEY_VARIABLE}}"` : ANY_KEY}
      baseURL: ${JSON.stringify(baseUrl)}
      models:
        fetch: true
        default: [${JSON.stringify(body.model)}]
      titleConvo: true
      titleModel: current_model
      titleTiming: final
${lines.length ? `      addParams:\n${lines.join("\n")}\n` : ""}`;
}
