"""A recurrent policy that learns to remember a cue by policy gradient, many episodes in one row of a batch.

Every episode shows one of two cues at its first step, then noise for 4 to 10 steps, and asks at its last step
which it was. The reward is 1 for the right answer and 0 otherwise: who does not remember gets half of it. A
row of the batch holds many episodes one after the other; `resets` says where each begins, so that one call of
the layer runs them all, and no gradient passes from one to the next.
"""

import torch
from torch import nn

import unrolled
from unrolled.layers import reset_rows

ROWS, STEPS, UPDATES = 16, 64, 150
SHORTEST, LONGEST = 4, 10
CUES = 2


def episodes(generator: torch.Generator) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    """What a policy sees, ``(STEPS, ROWS, 4)``; where episodes begin; where they ask; and for which cue."""
    seen = torch.zeros(STEPS, ROWS, CUES + 2)
    seen[..., CUES] = torch.randn(STEPS, ROWS, generator=generator)
    resets, asked = (torch.zeros(STEPS, ROWS, dtype=torch.bool) for _ in range(2))
    answers = torch.zeros(STEPS, ROWS, dtype=torch.int64)
    for row in range(ROWS):
        begin = 0
        while begin < STEPS:
            delay = int(torch.randint(SHORTEST, LONGEST + 1, (), generator=generator))
            cue = int(torch.randint(CUES, (), generator=generator))
            resets[begin, row] = True
            seen[begin, row, cue] = 1
            if begin + delay < STEPS:
                seen[begin + delay, row, CUES + 1] = 1
                asked[begin + delay, row] = True
                answers[begin + delay, row] = cue
            begin += delay + 1
    return seen, resets, asked, answers


class Policy(nn.Module):
    """What to answer, and what reward to expect, at every step."""

    def __init__(self, *, remembers: bool) -> None:
        super().__init__()
        self.memory = unrolled.GRU(CUES + 2, 32) if remembers else None
        self.look = nn.Linear(CUES + 2, 32)
        self.actor, self.critic = nn.Linear(32, CUES), nn.Linear(32, 1)

    def forward(self, seen: torch.Tensor, resets: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Scores of the answers, ``(STEPS, ROWS, CUES)``, and the expected reward, ``(STEPS, ROWS)``."""
        if self.memory is None:
            hidden = torch.tanh(self.look(seen))
        else:
            hidden, _ = self.memory(seen, resets=resets)
        return self.actor(hidden), self.critic(hidden).squeeze(-1)


def train(policy: Policy) -> float:
    """REINFORCE with the expected reward as its baseline; the share of right answers at the end."""
    generator = torch.Generator().manual_seed(1)
    optimizer = torch.optim.Adam(policy.parameters(), lr=0.01)
    shares = []
    for _ in range(UPDATES):
        seen, resets, asked, answers = episodes(generator)
        scores, expected = policy(seen, resets)
        chosen = torch.distributions.Categorical(logits=scores[asked])
        actions = chosen.sample()
        rewards = (actions == answers[asked]).float()
        surprise = rewards - expected[asked]
        loss = -(surprise.detach() * chosen.log_prob(actions)).mean() + surprise.square().mean()
        loss = loss - 0.01 * chosen.entropy().mean()
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(policy.parameters(), 1.0)
        optimizer.step()
        shares.append(float(rewards.mean()))
    return sum(shares[-10:]) / 10


def step_by_step(memory: unrolled.GRU, seen: torch.Tensor, resets: torch.Tensor) -> torch.Tensor:
    """The same as one call with ``resets``, in a loop as a policy acts: a fresh state for who begins."""
    state, outputs = memory.initial_state(ROWS), []
    for step, anew in zip(seen, resets, strict=True):
        state = reset_rows(state, anew, memory.initial_state(ROWS))
        output, state = memory(step.unsqueeze(0), state)
        outputs.append(output)
    return torch.cat(outputs)


def main() -> None:
    """Train with and without a memory."""
    torch.manual_seed(0)
    policy = Policy(remembers=True)
    print(f"with a GRU      {train(policy):.2f} of the answers are right")
    print(f"without memory  {train(Policy(remembers=False)):.2f} of the answers are right")
    memory = policy.memory
    assert memory is not None
    seen, resets, _, _ = episodes(torch.Generator().manual_seed(2))
    with torch.no_grad():
        apart = (memory(seen, resets=resets)[0] - step_by_step(memory, seen, resets)).abs().max()
    print(f"one call with resets {'is' if apart < 1e-5 else 'is not'} the loop over steps")


if __name__ == "__main__":
    main()
