// LangChain's models, which LibreChat is built on.

import assert from "node:assert/strict";
import { test } from "node:test";
import { AIMessage, HumanMessage, ToolMessage } from "@langchain/core/messages";
import { ChatOpenAI, OpenAIEmbeddings } from "@langchain/openai";
import { apiKey, baseURL, collect, france, rome, running, titleSchema, until, weather } from "./shared.mjs";

const configuration = { baseURL };

// `streamUsage: false` as in LibreChat: the usage comes without being asked for.
const newModel = (options = {}) =>
  new ChatOpenAI({ model: "demo", apiKey, configuration, temperature: 0, maxRetries: 0, streamUsage: false, ...options });

const concatenated = (chunks) => chunks.reduce((all, chunk) => all.concat(chunk));

test("a question is answered", async () => {
  const answer = await newModel().invoke(france);
  assert.match(answer.content, /Paris/);
  assert.equal(answer.response_metadata.finish_reason, "stop");
  assert.ok(answer.usage_metadata.total_tokens > 0);
});

test("a streamed answer has its usage without being asked", async () => {
  const chunks = await collect(await newModel().stream(france));
  assert.ok(chunks.length > 4);
  const answer = concatenated(chunks);
  assert.match(answer.content, /Paris/);
  const { input_tokens, output_tokens, total_tokens, input_token_details } = answer.usage_metadata;
  assert.equal(input_tokens + output_tokens, total_tokens);
  assert.ok(input_token_details.cache_read >= 0);
});

test("a tool call comes in chunks and its result is used", async () => {
  const model = newModel().bindTools([weather]);
  const messages = [new HumanMessage(rome)];
  const chunks = await collect(await model.stream(messages));
  const parts = chunks.flatMap((chunk) => chunk.tool_call_chunks ?? []);
  assert.ok(parts.length > 2);
  assert.deepEqual([parts[0].name, parts[0].args], ["get_weather", ""]);
  const asked = concatenated(chunks);
  const [call] = asked.tool_calls;
  assert.ok(call.id);
  assert.deepEqual([call.name, call.args], ["get_weather", { city: "Rome" }]);
  assert.equal(asked.response_metadata.finish_reason, "tool_calls");
  assert.ok(asked.usage_metadata.output_tokens > 0);
  messages.push(asked, new ToolMessage({ content: "Sunny, 21°C", name: call.name, tool_call_id: call.id }));
  assert.match(concatenated(await collect(await model.stream(messages))).content, /21/);
});

test("two calls of one message have ids of their own", async () => {
  const model = newModel().bindTools([weather]);
  const asked = concatenated(await collect(await model.stream("What is the weather in Paris and in Rome?")));
  assert.deepEqual(asked.tool_calls.map((call) => call.args.city), ["Paris", "Rome"]);
  assert.equal(new Set(asked.tool_calls.map((call) => call.id)).size, 2);
});

test("thinking comes before calls", async () => {
  const model = newModel({ modelKwargs: { reasoning_budget: 6 } }).bindTools([weather], { tool_choice: "required" });
  // The demo model does not think by itself: its answer is begun with the tag that opens the thinking.
  const chunks = await collect(await model.stream([new HumanMessage(rome), new AIMessage("<think>\n")]));
  const thoughts = chunks.map((chunk) => Boolean(chunk.additional_kwargs.reasoning_content));
  const calls = chunks.map((chunk) => chunk.tool_call_chunks?.length > 0);
  assert.ok(thoughts.includes(true));
  assert.ok(thoughts.lastIndexOf(true) < calls.indexOf(true));
  const { output_tokens, output_token_details } = concatenated(chunks).usage_metadata;
  assert.ok(output_token_details.reasoning > 0 && output_token_details.reasoning < output_tokens);
});

for (const method of ["jsonSchema", "functionCalling", "jsonMode"]) {
  test(`a structured answer by ${method}`, async () => {
    const model = newModel({ maxTokens: 200 }).withStructuredOutput(titleSchema, { name: "extract", method, includeRaw: true });
    const { raw, parsed } = await model.invoke("Hello!");
    if (method === "jsonMode") assert.equal(raw.content.trim()[0], "{");
    else assert.deepEqual(Object.keys(parsed), ["language", "title"]);
  });
}

test("the Responses API answers too", async () => {
  const model = newModel({ useResponsesApi: true });
  assert.match((await model.invoke(france)).text, /Paris/);
  const streamed = concatenated(await collect(await model.stream(france)));
  assert.match(streamed.text, /Paris/);
  assert.ok(streamed.usage_metadata.total_tokens > 0);
  const called = concatenated(await collect(await model.bindTools([weather]).stream(rome)));
  assert.deepEqual(called.tool_calls[0].args, { city: "Rome" });
  assert.ok(called.tool_calls[0].id);
});

test("the stop button stops the work", async () => {
  const controller = new AbortController();
  const stream = await newModel({ modelKwargs: { ignore_eos: true } }).stream("Count to 30.", { signal: controller.signal });
  await assert.rejects(async () => {
    for await (const chunk of stream) if (chunk.content) controller.abort();
  });
  await until(async () => (await running()) === 0);
});

test("texts become vectors", async () => {
  const embeddings = new OpenAIEmbeddings({ model: "bert", apiKey, configuration });
  const [first] = await embeddings.embedDocuments(["rain", "paris"]);
  const query = await embeddings.embedQuery("rain");
  assert.equal(first.length, 32);
  first.forEach((value, place) => assert.ok(Math.abs(value - query[place]) < 1e-4));
});

test("errors tell what LibreChat acts on", async () => {
  await assert.rejects(newModel().invoke("word ".repeat(5000)), (error) => {
    assert.match(error.message, /This model's maximum context length is 2048 tokens\. However, your messages resulted in/);
    assert.deepEqual([error.name, error.cause.code], ["ContextOverflowError", "context_length_exceeded"]);
    return true;
  });
  await assert.rejects(newModel({ model: "none" }).invoke("Hi"), (error) => {
    assert.equal(error.lc_error_code, "MODEL_NOT_FOUND");
    return true;
  });
});
