"""A report as one offline HTML page with its curves, and as a badge. Plain SVG, so that nothing else is installed."""

import math
from collections.abc import Sequence
from html import escape
from string import Template

from samplercheck import __version__
from samplercheck.convergence import JUDGED
from samplercheck.report import HOLDS, INCONCLUSIVE, NOTED, REFUTED, Report, no_exact_law

COLOURS = {HOLDS: "#1b7f3b", REFUTED: "#b3261e", NOTED: "#8a6d00", INCONCLUSIVE: "#8a6d00"}
_WIDTH, _HEIGHT, _LEFT, _BOTTOM, _TOP = 640, 320, 64, 44, 16

_PAGE = Template("""<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>$name: $verdict</title>
<style>
:root { color-scheme: light dark }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 46rem; margin: 2rem auto; padding: 0 1rem }
table { border-collapse: collapse; width: 100% } td, th { text-align: left; padding: .25rem .5rem; vertical-align: top }
tr + tr { border-top: 1px solid #8884 } .mark { font-weight: 600 } svg { max-width: 100%; height: auto }
svg text { font: 13px system-ui, sans-serif; fill: currentColor } pre { white-space: pre-wrap; overflow-wrap: anywhere }
</style>
<h1>$name</h1>
<p>Version $version. Conformance kit $kit: <span class="mark" style="color:$colour">$verdict</span>. $why.</p>
$worst
<p>The verdict <em>holds</em> says that no check refutes the sampler, not that all of it is proved.</p>
<p>The network of these checks is the exact one of a known target, not a trained one. The targets are Gaussians, with
standard deviations from 0.05 to 2 times the data's scale if no others were given, and a mixture of two Gaussians.
<em>W2</em> is the Wasserstein distance of two distributions. The <em>order</em> is p where the error falls as
N<sup>-p</sup> with the number N of steps; brackets have its interval. The <em>limit</em> is the distribution to which
samples tend as N grows.</p>
<h2>Checks</h2>
<table><tr><th scope="col">Check<th scope="col">Verdict<th scope="col">What was measured</tr>
$rows</table>
<h2>Error against the number of steps</h2>
<p>W2 between the exact distribution of a run on the Gaussians and the target at a noise level of at least $judged, in
units of the data's scale. The run starts from the exact distribution at its first noise level.$slope</p>
$curve
<h2>Few steps, as shipped</h2>
<p>W2 between the end of a run from the library's own start and the data (the Gaussians), in units of their scale.</p>
<table><tr><th scope="col">Steps<th scope="col">W2</tr>$few</table>
$used<details><summary>All numbers, as JSON</summary><pre>$json</pre></details>
</html>
""")


def html(report: Report) -> str:
    """Return the page of a report."""
    rows = "".join(
        f'<tr><td>{escape(each.check)}<td class="mark" style="color:{COLOURS[each.verdict]}">{each.verdict}'
        f"<td>{escape(each.why)}</tr>\n"
        for each in report.judgements
    )
    rows += "".join(
        f"<tr><td>{escape(check)}<td>not made<td>{escape(reason)}</tr>\n" for check, reason in report.not_made.items()
    )
    few = "".join(f"<tr><td>{steps}<td>{value:.3g}</tr>" for steps, value in report.w2.items())
    missing = escape(no_exact_law(report) or "; ".join(report.trouble) or "they were not measured")
    curve, slope = f"<p>None: {missing}.</p>", ""
    if report.convergence is not None:
        curve = chart(report.convergence.steps, report.convergence.w2, report.order)
        slope = f" The dashed line has the stated order, {report.order}." if report.order else ""
    return _PAGE.substitute(
        name=escape(report.name),
        verdict=report.verdict,
        version=escape(str(report.version)),
        kit=__version__,
        colour=COLOURS[report.verdict],
        why=escape(report.why[:1].upper() + report.why[1:]),
        worst=f"<p>Look here first: {escape(report.first)}.</p>" if report.first else "",
        rows=rows,
        slope=slope,
        judged=JUDGED,
        curve=curve,
        few=few or f"<tr><td>none<td>{missing}</tr>",
        used="".join(f"<p>{escape(each.text().strip())}.</p>\n" for each in report.used),
        json=escape(report.json()),
    )


def chart(steps: Sequence[int], errors: Sequence[float], order: int | None) -> str:
    """Return errors against steps on logarithmic axes as an SVG, with a dashed line of the stated order."""
    shown = [(math.log10(n), math.log10(e)) for n, e in zip(steps, errors, strict=True) if e > 0]
    if len(shown) < 2:
        return "<p>Exact up to rounding.</p>"
    low, high = math.floor(min(y for _, y in shown)), math.ceil(max(y for _, y in shown))
    first, last = shown[0][0], shown[-1][0]

    def place(x: float, y: float) -> tuple[float, float]:
        across = _LEFT + (x - first) / (last - first) * (_WIDTH - _LEFT - 24)
        return across, _TOP + (high - y) / (high - low) * (_HEIGHT - _TOP - _BOTTOM)

    parts = []
    for decade in range(low, high + 1):
        _, y = place(first, decade)
        parts.append(f'<path d="M{_LEFT} {y:.1f}H{_WIDTH - 24}" stroke="currentColor" stroke-opacity=".2"/>')
        parts.append(f'<text x="{_LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{10.0**decade:g}</text>')
    parts.append(f'<text x="4" y="{_TOP + 4}">W2</text>')
    for n in steps:
        x, _ = place(math.log10(n), low)
        parts.append(f'<text x="{x:.1f}" y="{_HEIGHT - 24}" text-anchor="middle">{n}</text>')
    parts.append(f'<text x="{_WIDTH / 2:.0f}" y="{_HEIGHT - 6}" text-anchor="middle">steps</text>')
    if order:
        y0 = shown[0][1]
        across = min(last - first, (y0 - low) / order)
        start, end = place(first, y0), place(first + across, y0 - order * across)
        parts.append(
            f'<path d="M{start[0]:.1f} {start[1]:.1f}L{end[0]:.1f} {end[1]:.1f}" stroke="currentColor" '
            'stroke-dasharray="6 4" stroke-opacity=".6"/>'
        )
    points = [place(x, y) for x, y in shown]
    parts.append(
        f'<polyline points="{" ".join(f"{x:.1f},{y:.1f}" for x, y in points)}" fill="none" stroke="#0072b2" '
        'stroke-width="2"/>' + "".join(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="#0072b2"/>' for x, y in points)
    )
    described = ", ".join(f"{e:.2g} at {n} steps" for n, e in zip(steps, errors, strict=True))
    return (
        f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="W2 falls with the number of steps: {described}">'
        + "".join(parts)
        + "</svg>"
    )


def badge(report: Report) -> str:
    """Return the verdict as a badge, an SVG of 20 pixels height; of a sampler that holds, with its stated order."""
    words = report.verdict + (f", order {report.order}" if report.verdict == HOLDS and report.order else "")
    left, right = 88, 14 + 7 * len(words)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{left + right}" height="20" role="img" '
        f'aria-label="conformance: {words}"><rect width="{left}" height="20" fill="#555"/>'
        f'<rect x="{left}" width="{right}" height="20" fill="{COLOURS[report.verdict]}"/>'
        '<g fill="#fff" font-family="Verdana,sans-serif" font-size="11" text-anchor="middle">'
        f'<text x="{left / 2}" y="14">conformance</text><text x="{left + right / 2}" y="14">{words}</text></g></svg>\n'
    )
