"""From the best deal found to the plan that it is: lines, capacity, figures, and what is left out and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from planner.models._between import recorded
from planner.models._case import homes
from planner.models._deals import Deal, boxes, costs, seats, summed
from planner.models._rented import inferred
from planner.models._search import Hunt
from planner.models.base import DeploymentModel
from planner.plan import Certificate, Plan
from planner.quantities import Assumption

__all__ = ["Found", "assembled"]


@dataclass(frozen=True)
class Found:
    """What came of a search."""

    hunt: Hunt
    chosen: Deal
    alone: Sequence[Deal]
    """Each site by itself."""
    free: Mapping[str, Deal | None]
    """The best without shares and numbers of providers (split), and the best with two providers at least (exit)."""
    why: NDArray[np.object_]
    """[class, site], why a class may not be at a site, empty where it may."""


def assembled(model: DeploymentModel, found: Found) -> Plan:
    """The plan of the chosen deal."""
    case, chosen = found.hunt.case, found.chosen
    parts = [plan for plan in chosen.plans if plan is not None]
    lines = [*(e for plan in parts for e in plan.lines), *(e for lines in chosen.extra for e in lines)]
    return Plan(
        model=model.kind,
        lines=tuple(lines),
        hours=case.demand.hours,
        provisioned=summed(case, chosen, "provisioned"),
        used=summed(case, chosen, "used"),
        boxes=boxes(case, chosen),
        placement=seats(case, chosen),
        cost_by_workload=costs(chosen),
        unplaced=_unplaced(found),
        certificate=_certificate(found),
        assumptions=(*model.settings(), *case.demand.assumptions, *_told(found)),
        details=_details(found),
    )


def _certificate(found: Found) -> Certificate:
    """What sites optimise by themselves; of the choice among them nothing is claimed, as its prices are read off plans.

    With one site there is no choice, and its own bound holds.
    """
    parts = [plan.certificate for plan in found.chosen.plans if plan is not None]
    usd = float(sum(part.usd for part in parts))
    if len(found.hunt.case.sites) == 1 and len(parts) == 1:
        return Certificate(usd, parts[0].bound_usd, parts[0].method, parts[0].proof)
    form = (
        "each site packs what it got; no bound is claimed over all placements, as prices of sites are read off plans: "
        "the details tell the bound of the assignment at these prices, and of the packing of what each site got"
    )
    return Certificate(usd, 0.0, form, {"version": 1, "closed_form": form})


def _details(found: Found) -> dict[str, float]:
    """Named figures: single sites, splits, exits, the assignment and its bound, and what each site carries."""
    chosen, case = found.chosen, found.hunt.case
    parts = [plan.certificate for plan in chosen.plans if plan is not None]
    least = min(found.alone, key=lambda d: d.rank, default=None)
    told = {
        "sites_used": float(len(chosen.used)),
        "providers_used": float(len({case.sites[s].owner for s in chosen.used})),
    }
    if np.isfinite(case.months):
        told |= {"moving_in_usd": chosen.moving_usd, "usd_with_moving_in": chosen.usd}
    if least is not None:
        told |= {"cheapest_single_site_usd": least.usd, "single_site_leaves_out": float(least.left)}
    told |= _premium(found.free)
    if found.hunt.placements:
        answer = _answer(found)
        told |= {"assignment_usd": answer[0], "assignment_bound_usd": answer[1], "units": answer[2]}
    told |= {"packed_usd": sum(c.usd for c in parts), "packed_bound_usd": sum(c.bound_usd for c in parts)}
    for s, site in enumerate(case.sites):
        plan = chosen.plans[s]
        spent = 0.0 if plan is None else plan.usd_per_month + sum(e.usd_per_month for e in chosen.extra[s])
        told |= {f"workloads at {site.name}": float(chosen.count[:, s].sum()), f"usd at {site.name}": spent}
    return told


def _premium(free: Mapping[str, Deal | None]) -> dict[str, float]:
    """What it costs to be able to leave: the difference between the best split with and without a second provider."""
    split, leaving = free["split"], free["exit"]
    told = {} if split is None else {"cheapest_split_usd": split.usd}
    if split is None or leaving is None or leaving.left > split.left:
        return told
    premium = leaving.usd - split.usd
    told |= {"cheapest_split_with_exit_usd": leaving.usd, "portability_premium_usd": premium}
    return told | {"portability_premium": premium / split.usd if split.usd > 0 else 0.0}


def _answer(found: Found) -> tuple[float, float, float]:
    """Cost, bound and units of the assignment that led to the chosen deal, else of the first."""
    led = [p for p in found.hunt.placements if np.array_equal(p.copies, found.chosen.copies)]
    answer = (led or found.hunt.placements)[0]
    return answer.usd, answer.bound_usd, float(answer.groups)


def _told(found: Found) -> list[Assumption]:
    """What the sites in use assume, and what was inferred about traffic and applications."""
    case, out = found.hunt.case, list[Assumption]()
    known = set(case.demand.assumptions)
    for s in found.chosen.used:
        plan, name = found.chosen.plans[s], case.sites[s].name
        own = () if plan is None else plan.assumptions
        out += [replace(a, name=f"{name}: {a.name}") for a in own if a not in known]
    caller, _, gib = found.hunt.terms.ends
    if len(caller):
        amount, all_told = float(gib.sum()), float(recorded(case.demand, found.hunt.unit)[2].sum())
        source = "settings of the model" if not all_told else "settings of the model, else the recorded call graph"
        out.append(inferred("multi_cloud: traffic between units", amount, "GiB-month", source))
        if all_told > amount:
            words = "recorded, but smaller than the flows that are priced, or set aside for those of the settings"
            out.append(inferred("multi_cloud: traffic not priced", all_told - amount, "GiB-month", words))
    parted = _parted(found)
    if parted:
        source = "no site takes all of what they consist of, so that their parts move by themselves"
        out.append(inferred("multi_cloud: applications that part", float(parted), "applications", source))
    return out


def _parted(found: Found) -> int:
    """Applications whose classes do not move as one although they were to."""
    home = homes(found.hunt.case.demand)
    rows = pd.DataFrame({"home": home, "unit": found.hunt.unit})[home != ""]
    each = rows.groupby("home")["unit"].nunique()
    return int((each > 1).sum())


def _unplaced(found: Found) -> pd.DataFrame:
    """What is nowhere, with what every site says of it; and what sites could not hold after all."""
    case, chosen = found.hunt.case, found.chosen
    members = case.demand.members
    rank = members.groupby("class").cumcount().to_numpy(np.int64)
    owner = members["class"].to_numpy(np.int64)
    nowhere = rank >= chosen.count.sum(axis=1)[owner]
    reasons = {c: _reason(found, c) for c in np.unique(owner[nowhere]).tolist()}
    out = pd.DataFrame({"workload": members["workload"][nowhere], "reason": [reasons[c] for c in owner[nowhere]]})
    late = [
        plan.unplaced.assign(reason=[f"{site.name}: {r}" for r in plan.unplaced["reason"]])
        for site, plan in zip(case.sites, chosen.plans, strict=True)
        if plan is not None and len(plan.unplaced)
    ]
    return pd.concat([out, *late], ignore_index=True).astype(object)


def _reason(found: Found, row: int) -> str:
    """Why members of a class are nowhere: the limits in conflict, else what each site says."""
    hunt, case = found.hunt, found.hunt.case
    if hunt.market.able[row].any():
        unit = int(hunt.unit[row])
        told = [p.reason[unit] for p in reversed(hunt.placements) if p.reason[unit]]
        return told[0] if told else "no site has room for it beside the others"
    said = [str(why) or hunt.refused(s, row) for s, why in enumerate(found.why[row])]
    return "; ".join(f"{site.name}: {text}" for site, text in zip(case.sites, said, strict=True))
