"""What becomes of a project when other data is chosen: its network is fitted, or another one is proposed."""

from __future__ import annotations

from dataclasses import dataclass, replace

from studio.compile.shapes import analyze
from studio.data.base import ERROR, Findings, Source
from studio.project import Project
from studio.project.model import fit_ends
from studio.project.propose import NoProposalError, propose_project


@dataclass(frozen=True)
class Adoption:
    """The ways to go on with other data.

    Args:
        source: the data.
        findings: what a look at it told.
        fitted: the project for it, with the ends of its network fitted.
        fits: whether that network can be trained on it, or none can.
        proposed: the project with another network, which can be; None if the old one fits, or none is known.
        reason: why the old one does not fit, or why nothing can be trained on the data; empty if there is no reason.
    """

    source: Source
    findings: Findings
    fitted: Project
    fits: bool
    proposed: Project | None = None
    reason: str = ""


def adopt(project: Project, source: Source, findings: Findings) -> Adoption:
    """See whether the project's network can be trained on other data, and find one if it cannot.

    What was chosen for the samples of the old data, such as which to leave out, is forgotten; starting weights stay
    with the network that they are for.
    """
    data = project.data.with_source(source)
    if reason := next((problem.message for problem in findings.problems if problem.severity == ERROR), ""):
        return Adoption(source, findings, replace(project, data=data), fits=True, reason=reason)
    spec = data.aimed(findings.spec)
    fitted = replace(project, data=data, graph=fit_ends(project.graph, spec).apply(project.graph))
    analysis = analyze(fitted.graph, spec, fitted.training)
    if analysis.trainable:
        return Adoption(source, findings, fitted, fits=True)
    reason = next((problem.message for problem in analysis.problems if problem.severity == "error"), "")
    return Adoption(source, findings, fitted, fits=False, proposed=_proposed(project, source, findings), reason=reason)


def _proposed(project: Project, source: Source, findings: Findings) -> Project | None:
    try:
        new = propose_project(source, findings)
    except NoProposalError:
        return None
    settings = replace(new.training, device=project.training.device, threads=project.training.threads)
    return replace(new, training=settings)
