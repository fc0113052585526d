// What an answer took, in words.

export function figuresOf(answer, texts, fill) {
  const usage = answer.usage;
  const parts = [
    answer.tokensPerSecond !== null && fill(texts.speed, answer.tokensPerSecond.toFixed(1)),
    answer.firstTokenMs !== null && fill(texts.firstToken, answer.firstTokenMs),
    usage && fill(texts.promptTokens, usage.prompt_tokens),
    usage && fill(texts.cachedTokens, usage.prompt_tokens_details?.cached_tokens ?? 0),
    usage && fill(texts.completionTokens, usage.completion_tokens),
    usage?.completion_tokens_details?.reasoning_tokens
      && fill(texts.reasoningTokens, usage.completion_tokens_details.reasoning_tokens),
    answer.finishReason === "length" && texts.cutOff,
  ];
  return parts.filter(Boolean).join(" · ");
}
