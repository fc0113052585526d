// What the scripts have in common. test_node.py says in BASE_URL where the server is.

export const baseURL = process.env.BASE_URL;
export const apiKey = "any text";

export const weather = {
  type: "function",
  function: {
    name: "get_weather",
    description: "Get the current weather in a city.",
    parameters: { type: "object", properties: { city: { type: "string" } }, required: ["city"] },
  },
};

// As LibreChat asks for a title, neither `strict` nor of zod; the choices keep the demo model from rambling.
export const titleSchema = {
  type: "object",
  properties: { language: { enum: ["English", "Russian"] }, title: { enum: ["Friendly Greeting", "Sums"] } },
  required: ["language", "title"],
};

export const rome = "What is the weather in Rome?";
export const france = "What is the capital of France?";

export async function collect(stream) {
  const items = [];
  for await (const item of stream) items.push(item);
  return items;
}

export async function running() {
  const health = await (await fetch(`${baseURL}/health`)).json();
  return health.running;
}

export async function until(condition) {
  const deadline = Date.now() + 30_000;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`this never came true: ${condition}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
