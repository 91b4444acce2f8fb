"""A report as one offline HTML page with its curves, and as a badge. Plain SVG, so that nothing
else is installed.
"""

import math
from collections.abc import Mapping, Sequence
from html import escape
from string import Template

from samplercheck import __version__
from samplercheck.convergence import JUDGED
from samplercheck.report import Report, failing_run, no_exact_law
from samplercheck.verdict_words import EXPECTED, HOLDS, INCONCLUSIVE, NOTED, REFUTED

COLOURS = {
    HOLDS: "#1b7f3b",
    REFUTED: "#b3261e",
    NOTED: "#8a6d00",
    INCONCLUSIVE: "#8a6d00",
    EXPECTED: "#8a6d00",
}
SERIES = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#7f7f7f")
"""The colours of curves (Okabe and Ito's, which colour-blind readers tell apart)."""
_APART = 30
"""The least distance of two labels of an axis, in pixels."""
_WIDTH, _HEIGHT, _LEFT, _BOTTOM, _TOP = 640, 320, 64, 44, 16

_STYLE = """<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<style>
:root { color-scheme: light dark }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 46rem; margin: 2rem auto; padding: 0 1rem }
table { border-collapse: collapse; width: 100% } td, th { text-align: left; padding: .25rem .5rem; vertical-align: top }
tr + tr { border-top: 1px solid #8884 } .mark { font-weight: 600 } svg { max-width: 100%; height: auto }
svg text { font: 13px system-ui, sans-serif; fill: currentColor } pre { white-space: pre-wrap; overflow-wrap: anywhere }
</style>
"""
_PAGE = Template("""<!doctype html>
<html lang="en"><title>$name: $verdict</title>
$style<h1>$name</h1>
<p>Version $version. Conformance kit $kit: <span class="mark" style="color:$colour">$headline</span>. $why.</p>
$made$worst
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
    rows = ""
    for each in report.ranked:
        run = failing_run(report, each.check) if each.verdict == REFUTED else ""
        why = f"{each.why}; smallest failing run: {run}" if run else each.why
        colour = f'class="mark" style="color:{COLOURS[each.verdict]}"'
        rows += f"<tr><td>{escape(each.check)}<td {colour}>{each.verdict}<td>{escape(why)}</tr>\n"
    rows += "".join(
        f"<tr><td>{escape(check)}<td>not made<td>{escape(reason)}</tr>\n"
        for check, reason in report.not_made.items()
    )
    few = "".join(f"<tr><td>{steps}<td>{value:.3g}</tr>" for steps, value in report.w2.items())
    missing = escape(no_exact_law(report) or "; ".join(report.trouble) or "they were not measured")
    curve, slope = f"<p>None: {missing}.</p>", ""
    if report.convergence is not None:
        runs = zip(report.convergence.steps, report.convergence.w2, strict=True)
        curve = chart([list(runs)], "steps", report.order)
        slope = f" The dashed line has the stated order, {report.order}." if report.order else ""
    return _PAGE.substitute(
        name=escape(report.name),
        style=_STYLE,
        verdict=report.verdict,
        headline=report.headline,
        version=escape(str(report.version)),
        kit=__version__,
        colour=COLOURS[report.verdict],
        why=escape(report.why[:1].upper() + report.why[1:]),
        worst=f"<p>Look here first: {escape(report.first)}.</p>" if report.first else "",
        made="".join(
            f"<p>{key}: <code>{escape(value)}</code></p>\n" for key, value in report.made_by.items()
        ),
        rows=rows,
        slope=slope,
        judged=JUDGED,
        curve=curve,
        few=few or f"<tr><td>none<td>{missing}</tr>",
        used="".join(f"<p>{escape(each.text().strip())}.</p>\n" for each in report.used),
        json=escape(report.json()),
    )


def comparison(runs: Mapping[str, Sequence[tuple[int, int, float]]]) -> str:
    """Return the page of several samplers of one problem: steps, network calls and W2 to the
    data of their runs.
    """
    rows = ""
    for number, (name, made) in enumerate(runs.items()):
        mark = f'<span style="color:{SERIES[number % len(SERIES)]}">&#9679;</span> {escape(name)}'
        cells = (f"<td>{steps}<td>{calls}<td>{w2:.3g}</tr>\n<tr><td>" for steps, calls, w2 in made)
        rows += f"<tr><td>{mark}{''.join(cells).removesuffix('<tr><td>') or '<td colspan=3>not measured</tr>'}"
    curve = chart(
        [[(calls, w2) for _, calls, w2 in made] for made in runs.values()], "network calls"
    )
    return f"""<!doctype html>
<html lang="en"><title>Samplers compared</title>
{_STYLE}<h1>Samplers compared</h1>
<p>W2 between the end of a run and the data against the network calls that it takes, from the sampler's own start. The
network is the exact one of Gaussians with standard deviations from 0.05 to 2 times the data's scale, the unit of W2.
Lower is better. A sampler that raised, or has no exact distributions, is not measured. Conformance kit
{__version__}.</p>
{curve}
<table><tr><th scope="col">Sampler<th scope="col">Steps<th scope="col">Network calls<th scope="col">W2</tr>
{rows}</table></html>
"""


def chart(
    series: Sequence[Sequence[tuple[int, float]]], unit: str, order: int | None = None
) -> str:
    """Return errors of runs against their length on logarithmic axes as an SVG, a curve for each of
    the series.

    A dashed line has the stated order. `unit` is that of the length.
    """
    curves = [
        [(math.log10(n), math.log10(e)) for n, e in runs if e > 0 and math.isfinite(e)]
        for runs in series
    ]
    shown = sorted(point for curve in curves for point in curve)
    if len(shown) < 2 or shown[0][0] == shown[-1][0]:
        return "<p>Exact up to rounding, or not measured.</p>"
    low, high = math.floor(min(y for _, y in shown)), math.ceil(max(y for _, y in shown))
    high = max(high, low + 1)
    first, last = shown[0][0], shown[-1][0]

    def place(x: float, y: float) -> tuple[float, float]:
        across = _LEFT + (x - first) / (last - first) * (_WIDTH - _LEFT - 24)
        return across, _TOP + (high - y) / (high - low) * (_HEIGHT - _TOP - _BOTTOM)

    parts = []
    for decade in range(low, high + 1):
        _, y = place(first, decade)
        parts.append(
            f'<path d="M{_LEFT} {y:.1f}H{_WIDTH - 24}" stroke="currentColor" stroke-opacity=".2"/>'
        )
        parts.append(
            f'<text x="{_LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{10.0**decade:g}</text>'
        )
    parts.append(f'<text x="4" y="{_TOP + 4}">W2</text>')
    label = -math.inf
    for x, n in sorted(
        {(place(math.log10(n), low)[0], n) for runs in series for n, e in runs if e > 0}
    ):
        if x - label >= _APART:
            parts.append(f'<text x="{x:.1f}" y="{_HEIGHT - 24}" text-anchor="middle">{n}</text>')
            label = x
    parts.append(f'<text x="{_WIDTH / 2:.0f}" y="{_HEIGHT - 6}" text-anchor="middle">{unit}</text>')
    if order:
        y0 = shown[0][1]
        across = min(last - first, (y0 - low) / order)
        start, end = place(first, y0), place(first + across, y0 - order * across)
        parts.append(
            f'<path d="M{start[0]:.1f} {start[1]:.1f}L{end[0]:.1f} '
            f'{end[1]:.1f}" stroke="currentColor" '
            'stroke-dasharray="6 4" stroke-opacity=".6"/>'
        )
    for number, curve in enumerate(curves):
        points, colour = [place(*point) for point in curve], SERIES[number % len(SERIES)]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts += (f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="{colour}"/>' for x, y in points)
    described = "; ".join(", ".join(f"{e:.2g} at {n}" for n, e in runs) for runs in series)
    words = f"W2 falls with the number of {unit}: {described}"
    return (
        f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" '
        f'aria-label="{words}">{"".join(parts)}</svg>'
    )


def badge(report: Report) -> str:
    """Return the verdict as a badge, an SVG of 20 pixels height; of a sampler that holds, with
    its stated order.
    """
    words = report.headline + (
        f", order {report.order}" if report.headline == HOLDS and report.order else ""
    )
    left, right = 88, 14 + 7 * len(words)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{left + right}" height="20" role="img" '
        f'aria-label="conformance: {words}"><rect width="{left}" height="20" fill="#555"/>'
        f'<rect x="{left}" width="{right}" height="20" fill="{COLOURS[report.verdict]}"/>'
        '<g fill="#fff" font-family="Verdana,sans-serif" font-size="11" text-anchor="middle">'
        f'<text x="{left / 2}" y="14">conformance</text><text x="{left + right / 2}" '
        f'y="14">{words}</text></g></svg>\n'
    )
