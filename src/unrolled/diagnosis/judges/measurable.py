"""Can the network be measured, and do its units do anything?"""

from __future__ import annotations

from math import isnan

from unrolled.diagnosis.evidence import Evidence
from unrolled.diagnosis.finding import Finding
from unrolled.diagnosis.gates import Gates
from unrolled.diagnosis.remedies import idle

_DEAD = 0.5
"""With so large a share of its ReLU units dead, a layer that has learned nothing has them to blame."""
_SATURATED = 0.95
_NOTHING = 1e-200
_SHUT = 1e-5
"""A gate that lets through less than this on average lets nothing through."""


def measurable(evidence: Evidence) -> Finding:
    """Whatever is broken before any gradient matters: NaN, no loss, no gradient, units that do nothing."""
    if evidence.faults:
        return Finding(kind="cannot be measured", sentence=evidence.faults[0], ground=evidence.faults[0])
    idle_units = _idle(evidence)
    if idle_units is not None:
        return idle_units
    if not evidence.decays:
        sentence = "No error was seen on its way back through a recurrent layer."
        return Finding(kind="cannot be measured", sentence=sentence, ground=sentence)
    if not any(len(decay) > 1 for decay in evidence.decays.values()):
        sentence = "No sequence is long enough for an error to go back a step."
        return Finding(kind="cannot be measured", sentence=sentence, ground=sentence)
    if not evidence.known:
        sentence = (
            "No error comes back: the gradient of the loss with respect to the states is 0 or not a number "
            "at every step, as where all units are dead, a gate is shut, or the loss does not depend on them."
        )
        return Finding(kind="cannot be measured", sentence=sentence, ground=sentence)
    if all(decay[1] < _NOTHING for decay in evidence.known.values()):
        sentence = (
            "Nothing of an error passes a single step back, as where all units are dead, saturated or shut."
        )
        return Finding(sentence, {}, "saturated or dead", sentence, idle(evidence, "nothing left"))
    silent = [layer for layer, decay in evidence.decays.items() if len(decay) > 1 and isnan(decay[1])]
    ground = "All weights, losses and gradients are finite"
    if silent:
        return Finding(f"{ground}; no error comes back through {', '.join(silent)}.")
    return Finding(f"{ground}{_units(evidence)}.")


def _units(evidence: Evidence) -> str:
    dead = [(each.dead, each.layer) for each in evidence.gates if each.dead]
    flat = [(each.saturated, each.layer) for each in evidence.gates if each.saturated]
    if dead:
        return "; {:.0%} of the ReLU units of {} are dead".format(*max(dead))
    return "; {:.0%} of the candidate's values are saturated ({})".format(*max(flat)) if flat else ""


def _idle(evidence: Evidence) -> Finding | None:
    """Units that are dead, saturated or shut off, in a network that is not known to work with them."""
    if evidence.sound:
        return None
    found = [said for each in evidence.gates if (said := _of_layer(each)) is not None]
    if not found:
        return None
    (name, share, sentence), *_ = sorted(found, key=lambda each: -each[1])
    return Finding(sentence, {name: share}, "saturated or dead", sentence, idle(evidence, name))


def _of_layer(gates: Gates) -> tuple[str, float, str] | None:
    """What is idle in a layer: the number's name, the number, and a sentence."""
    if gates.dead is not None and gates.dead >= _DEAD:
        sentence = (
            f"{gates.dead:.0%} of the ReLU units of {gates.layer} are dead: they are 0 at every step, and no "
            "error passes them."
        )
        return "share of units dead", gates.dead, sentence
    shut = _shut(gates)
    if shut is not None:
        name, passed = shut
        sentence = (
            f"The {name} of {gates.layer} is shut: on average it lets {passed:.1e} of what comes through, so "
            + (
                "nothing is read into the state."
                if name != "output gate"
                else "nothing gets out of the cell."
            )
        )
        return "share shut off", 1 - passed, sentence
    if gates.time_constant is None and gates.saturated is not None and gates.saturated >= _SATURATED:
        sentence = (
            f"{gates.saturated:.0%} of the values of {gates.layer} are saturated: where the activation is "
            "flat hardly any error passes."
        )
        return "share of values saturated", gates.saturated, sentence
    extreme = [use.open + use.shut for name, use in gates.gates.items() if name.endswith("_gate")]
    if extreme and min(extreme) >= _SATURATED:
        sentence = (
            f"Every gate of {gates.layer} is saturated: at least {min(extreme):.0%} of the values of each "
            "are all but 0 or 1, so no error changes them."
        )
        return "share of gate values saturated", min(extreme), sentence
    return None


def _shut(gates: Gates) -> tuple[str, float] | None:
    """The gate that lets nothing in or out, with what it lets through on average."""
    for name in ("input_gate", "output_gate"):
        use = gates.gates.get(name)
        if use is not None and use.mean < _SHUT:
            return name.replace("_", " "), use.mean
    kept = gates.gates.get("update_gate")
    if kept is not None and gates.cell == "gru" and 1 - kept.mean < _SHUT:
        return "update gate", max(0.0, 1 - kept.mean)
    return None
