"""The page about `saga play`: how it is played, and every level with its par, read from the code and from levels.json."""

from kernel.guards import OFF
from report.play import guarded_words
from scenarios.campaigns.play.level import ALL_OFF, levels_of, proofs_of
from shared_domain.order.saga import SAGA
from testbed.play_levels import COMMAND, SCHEDULES

_TEXT = f"""# Be the network: `saga play`

`saga play` opens a page on which nothing moves until you choose what happens next: which message travels on, which one is lost, who crashes, whose timer fires.
Both styles stand side by side. What you see is no animation: the production code of both styles runs under virtual time ([simulation.md](simulation.md)), and the judge
of every other run decides whether you have done damage.

    saga play                           # opens http://127.0.0.1:8210
    saga play --level 5
    saga play --saga trip               # a saga without levels: free play
    saga play --no-browser --port 0     # prints the address; any free port
    saga play --host 0.0.0.0            # for a classroom: prints a join code

## How it is played
- **The blue choice** is what happens by itself: the oldest message travels on, or, if none waits, time passes. It costs nothing. Every other choice is a **move**.
- A **request** waits at its service's door. You can let it in, lose it, deliver it twice, let the service fail, crash (before or after its commit) or hang, lose the answer, or kill the coordinator.
- An **answer** waits before it leaves. You can let it go, garble it, or (choreography) deliver it twice.
- **Out of order:** let another message than the oldest one go first. **Let time pass** while messages wait, and retries and deadlines come first. No message is held longer
  than 75 s, which is past the saga deadline of 60 s.
- The judge speaks when nothing can change his word any more: at once about what was done twice, about all else at the end.
- **Undo, redo, start again, play on** (to the end, without a further move), **show me** (a game with the fewest moves; take its choices with *redo*). *Copy a link* shares the position:
  the address holds the whole game. *Export* saves it as a schedule: `saga replay FILE --simulated` shows it step by step, `saga replay FILE` also runs it on the real
  pair ([simulation.md](simulation.md)), as far as a schedule can say what you did; the page says whether it ends the same.
- **Keys**, in the column that you used last: `n` or Enter the blue choice, `1` to `9` the choice with that number, `t` let time pass, `u` undo, `r` redo, `p` play on, `a` start again. Tab reaches everything.

## Free play, and many customers at once
*Free play* (level 0) lets you switch safeguards, choose at which step the order is refused, the step order, and up to three orders. Below the two games is the **demonstration**: customers come at
the rate of a slider, a fault strikes a share of them, and charts show how many orders were committed, compensated, parked, stuck or wrong (done twice or half), and how
much money is not where its order says it should be. Each second is a simulated run of that many orders, the same in both styles.

## In a classroom
With `--host` the server listens on that address, and the page asks for the join code that is printed; without it only this machine is served. The connection is plain HTTP:
the code keeps strangers out of the game, not listeners out of the network. The server keeps nothing about anybody; one student cannot disturb another.

## Levels
The par is the fewest moves that win. It was computed, not guessed: games were played in order of their moves until one was won. With the safeguard on, *all* games with at most
as many moves as the level allows were played to their end, and {SCHEDULES:,} random schedules of `saga explore` with up to three faults were simulated for each style.
"""
_HOW = f"""
`{COMMAND}` computes all of it (about ten minutes on two cores) and writes `shared_domain/order/levels.json`; a test wins every level with its par
and with no fewer moves each time the tests run, and `make long` computes the whole file again.

A level is a `Level` in `levels.py` of a saga's folder: what is switched off, the goal in words and as a function of what the ledgers say.
"""


def play_page() -> str:
    """docs/play.md."""
    lines = [
        "| level | switched off | goal | style | par | with it on |",
        "|---|---|---|---|---|---|",
    ]
    for number, level in enumerate(levels_of(SAGA), 1):
        off = "all" if level.guard == ALL_OFF else ", ".join((level.guard, *level.also_off))
        for style, proof in proofs_of(SAGA.address)[level.name].items():
            lines.append(
                f"| {number} {level.title} | `{off}` | {level.goal} | {style} | {proof.par} | {guarded_words(proof)} |"
            )
    without = ", ".join(f"`{name}`" for name in OFF)
    about = f"\nSafeguards: {without}; [reference/guards.md](reference/guards.md) says what each does.\n"
    return _TEXT + "\n" + "\n".join(lines) + "\n" + about + _HOW
