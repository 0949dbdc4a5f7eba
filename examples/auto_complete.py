"""The smallest recurrent network there is: it learns to complete d, e, e, p, and shows what it keeps in mind.

    python examples/auto_complete.py

The letter e is followed once by e and once by p, so the letter alone does not tell what comes next: the
hidden state has to know how far the word has come.
"""

import torch

import unrolled

SYMBOLS = ["d", "e", "p", "."]


def main() -> None:
    """Train on one word, then read it letter by letter."""
    torch.manual_seed(0)
    codes = torch.eye(len(SYMBOLS))
    word = torch.tensor([SYMBOLS.index(symbol) for symbol in "deep."])
    inputs, targets = codes[word[:-1]], word[1:]

    layer, output = unrolled.RNN(input_size=4, hidden_size=3), torch.nn.Linear(3, 4)
    optimizer = torch.optim.AdamW([*layer.parameters(), *output.parameters()], lr=0.05)
    for _ in range(200):
        states, _ = layer(inputs)
        loss = torch.nn.functional.cross_entropy(output(states), targets)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    states, _ = layer(inputs)
    for symbol, state, scores in zip("deep", states, output(states), strict=True):
        shown = " ".join(f"{value:+.2f}" for value in state.tolist())
        print(f"read {symbol}   state {shown}   next {SYMBOLS[int(scores.argmax())]}")


if __name__ == "__main__":
    main()
