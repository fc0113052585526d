// The official JavaScript client.

import assert from "node:assert/strict";
import { test } from "node:test";
import OpenAI from "openai";
import { apiKey, baseURL, collect, france, rome, running, titleSchema, until, weather } from "./shared.mjs";

const client = new OpenAI({ baseURL, apiKey, maxRetries: 0 });

const ask = (content, options = {}) => ({
  model: "demo",
  messages: [{ role: "user", content }],
  temperature: 0,
  ...options,
});

test("a question is answered", async () => {
  const completion = await client.chat.completions.create(ask(france));
  assert.match(completion.choices[0].message.content, /Paris/);
  assert.equal(completion.choices[0].finish_reason, "stop");
  assert.equal(completion.usage.total_tokens, completion.usage.prompt_tokens + completion.usage.completion_tokens);
});

test("an answer is streamed", async () => {
  const chunks = await collect(await client.chat.completions.create(ask(france, { stream: true })));
  assert.equal(chunks[0].choices[0].delta.role, "assistant");
  assert.match(chunks.map((chunk) => chunk.choices[0].delta.content ?? "").join(""), /Paris/);
  assert.ok(chunks.at(-1).usage.completion_tokens > 1);
});

test("the stream helper puts an answer together", async () => {
  const deltas = [];
  const stream = client.chat.completions.stream(ask(france)).on("content", (delta) => deltas.push(delta));
  const completion = await stream.finalChatCompletion();
  assert.equal(deltas.join(""), completion.choices[0].message.content);
  assert.ok((await stream.totalUsage()).prompt_tokens > 0);
});

for (const stream of [false, true]) {
  test(`a tool is run and its result used, ${stream ? "streamed" : "whole"}`, async () => {
    const cities = [];
    const callback = ({ city }) => cities.push(city) && "Sunny, 21°C";
    const tool = { ...weather, function: { ...weather.function, function: callback, parse: JSON.parse } };
    const runner = client.chat.completions.runTools(ask(rome, { tools: [tool], stream }));
    assert.match(await runner.finalContent(), /21/);
    assert.deepEqual(cities, ["Rome"]);
    const roles = runner.messages.map((message) => message.role);
    assert.deepEqual(roles, ["user", "assistant", "tool", "assistant"]);
  });
}

test("an answer follows a JSON schema", async () => {
  const format = { type: "json_schema", json_schema: { name: "extract", schema: titleSchema } };
  const completion = await client.chat.completions.create(ask("Hello!", { response_format: format }));
  assert.deepEqual(Object.keys(JSON.parse(completion.choices[0].message.content)), ["language", "title"]);
});

test("stopping a stream stops the work", async () => {
  const stream = await client.chat.completions.create(ask("Count to 30.", { stream: true, ignore_eos: true }));
  for await (const chunk of stream) {
    if (chunk.choices[0].delta.content) break;
  }
  stream.controller.abort();
  await until(async () => (await running()) === 0);
});

test("text is completed", async () => {
  const options = { model: "demo", prompt: "The capital of", max_tokens: 3, temperature: 0 };
  const whole = await client.completions.create(options);
  const chunks = await collect(await client.completions.create({ ...options, stream: true }));
  assert.equal(chunks.map((chunk) => chunk.choices[0].text).join(""), whole.choices[0].text);
});

test("a response is given, continued and streamed", async () => {
  const first = await client.responses.create({ model: "demo", input: "My name is Ada. Remember it.", temperature: 0 });
  const question = { model: "demo", input: "What is my name?", previous_response_id: first.id, temperature: 0 };
  const events = await collect(await client.responses.create({ ...question, stream: true }));
  const last = events.at(-1);
  assert.equal(last.type, "response.completed");
  const text = events.filter((event) => event.type === "response.output_text.delta").map((event) => event.delta).join("");
  assert.match(text, /Ada/);
  assert.equal(last.response.output[0].content[0].text, text);
  assert.equal((await client.responses.stream(question).finalResponse()).output_text, text);
});

test("a response calls a function", async () => {
  const tool = { type: "function", strict: false, ...weather.function };
  const stream = client.responses.stream({ model: "demo", input: rome, tools: [tool], temperature: 0 });
  const [call] = (await stream.finalResponse()).output;
  assert.deepEqual([call.type, call.name, JSON.parse(call.arguments)], ["function_call", "get_weather", { city: "Rome" }]);
});

test("texts become vectors in both encodings", async () => {
  const options = { model: "bert", input: ["rain", "paris"] };
  const asBase64 = await client.embeddings.create(options); // the client's own choice
  const asFloats = await client.embeddings.create({ ...options, encoding_format: "float" });
  asFloats.data.forEach((entry, index) => {
    assert.equal(entry.embedding.length, 32);
    entry.embedding.forEach((value, place) => {
      assert.ok(Math.abs(value - asBase64.data[index].embedding[place]) < 1e-6);
    });
  });
});

test("models are listed and described", async () => {
  const models = await collect(client.models.list());
  assert.ok(models.some((model) => model.id === "demo"));
  assert.equal((await client.models.retrieve("demo")).object, "model");
});

test("errors are of the client's classes", async () => {
  await assert.rejects(client.chat.completions.create(ask("Hi", { temperature: 3 })), (error) => {
    assert.ok(error instanceof OpenAI.BadRequestError);
    assert.deepEqual([error.status, error.param, error.type], [400, "temperature", "invalid_request_error"]);
    assert.match(error.message, /^400 Invalid `temperature`/);
    return true;
  });
  await assert.rejects(client.chat.completions.create(ask("Hi", { model: "none", stream: true })), (error) => {
    assert.ok(error instanceof OpenAI.NotFoundError);
    assert.equal(error.code, "model_not_found");
    return true;
  });
});
