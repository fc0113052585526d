"""A small Llama in PyTorch, with the rotary layout of llama.cpp's "llama" architecture."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional


@dataclass(frozen=True)
class Shape:
    """The sizes of the model."""

    vocabulary: int = 1024
    width: int = 128
    layers: int = 5
    heads: int = 4
    inner: int = 384
    context: int = 2048
    theta: float = 10000.0
    epsilon: float = 1e-5


def rotary(shape: Shape) -> tuple[Tensor, Tensor]:
    """Return the cosines and sines of every position, (context, head width / 2) each."""
    size = shape.width // shape.heads
    rates = shape.theta ** (-torch.arange(0, size, 2).float() / size)
    angles = torch.outer(torch.arange(shape.context).float(), rates)
    return angles.cos(), angles.sin()


def rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Rotate neighbouring pairs (2i, 2i+1): llama.cpp's NORM layout, so no weight is permuted later."""
    even, odd = x[..., 0::2], x[..., 1::2]
    return torch.stack((even * cos - odd * sin, even * sin + odd * cos), -1).flatten(-2)


class Block(nn.Module):
    """One layer: attention and a gated feed-forward, each after a norm and added to its input."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.heads = shape.heads
        self.attention_norm = nn.RMSNorm(shape.width, shape.epsilon)
        self.query, self.key, self.value, self.out = (nn.Linear(shape.width, shape.width, bias=False) for _ in range(4))
        self.inner_norm = nn.RMSNorm(shape.width, shape.epsilon)
        self.gate, self.up = (nn.Linear(shape.width, shape.inner, bias=False) for _ in range(2))
        self.down = nn.Linear(shape.inner, shape.width, bias=False)

    def forward(self, x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
        """Map (batch, length, width) to the same shape."""
        x = x + self._attend(self.attention_norm(x), cos, sin)
        h = self.inner_norm(x)
        return x + self.down(functional.silu(self.gate(h)) * self.up(h))

    def _attend(self, x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
        query, key, value = (
            layer(x).unflatten(-1, (self.heads, -1)).transpose(1, 2) for layer in (self.query, self.key, self.value)
        )
        query, key = (rotate(t, cos, sin).to(value.dtype) for t in (query, key))
        mixed = functional.scaled_dot_product_attention(query, key, value, is_causal=True)
        return self.out(mixed.transpose(1, 2).flatten(-2))


class Llama(nn.Module):
    """The whole model; input and output embeddings are one matrix."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        self.embedding = nn.Embedding(shape.vocabulary, shape.width)
        self.blocks = nn.ModuleList(Block(shape) for _ in range(shape.layers))
        self.norm = nn.RMSNorm(shape.width, shape.epsilon)
        for index, table in enumerate(rotary(shape)):
            self.register_buffer(("cos", "sin")[index], table, persistent=False)
        self._start()

    def _start(self) -> None:
        nn.init.normal_(self.embedding.weight, std=0.04)
        for parameter_name, parameter in self.blocks.named_parameters():
            if parameter.dim() == 2:
                final = parameter_name.endswith(("out.weight", "down.weight"))
                nn.init.normal_(parameter, std=0.03 / (2 * self.shape.layers) ** 0.5 if final else 0.05)

    def forward(self, tokens: Tensor) -> Tensor:
        """Return the last layer's normed states, (batch, length, width)."""
        x, length = self.embedding(tokens), tokens.shape[1]
        for block in self.blocks:
            x = block(x, self.cos[:length], self.sin[:length])
        return self.norm(x)

    def loss(self, tokens: Tensor, places: Tensor, targets: Tensor) -> Tensor:
        """Return the mean loss of the targets; `places` are indices into the flattened positions.

        Only these places go through the output matrix: most positions belong to prompts.
        """
        states = self.forward(tokens).flatten(0, 1)[places]
        return functional.cross_entropy(functional.linear(states, self.embedding.weight).float(), targets)
