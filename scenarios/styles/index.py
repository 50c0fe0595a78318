"""The one place in which styles are registered."""

from scenarios.styles import choreography, orchestration
from scenarios.styles.style import Style

STYLES: dict[str, Style] = {
    style.name: style for style in (choreography.STYLE, orchestration.STYLE)
}
