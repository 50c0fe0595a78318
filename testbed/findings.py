"""What exploration leaves for each finding: the schedule, its fault plan and its story, side by side."""

import json
from pathlib import Path

from scenarios.campaigns.simulation.finding import Finding
from scenarios.campaigns.simulation.simulated import play
from scenarios.campaigns.simulation.story import story


def story_of(finding: Finding) -> str:
    """Its story as one text."""
    schedule = finding.schedule
    simulated = play(schedule)
    return "\n".join(story(schedule, simulated, finding))


def leave(folder: Path, number: int, finding: Finding) -> Path:
    """The schedule, its fault plan and its story, side by side; the schedule's path."""
    path = folder / f"schedule-{number:02d}.json"
    schedule = finding.schedule
    for name, content in {
        path.name: json.dumps(schedule.to_json(), indent=1),
        f"plan-{number:02d}.json": json.dumps(schedule.plan.to_json(), indent=1),
        f"story-{number:02d}.txt": story_of(finding),
    }.items():
        (folder / name).write_text(content + "\n", encoding="utf-8")
    return path


def told(path: Path) -> str:
    """What lies beside a schedule."""
    story_path = path.with_name(path.name.replace("schedule", "story")).with_suffix(".txt")
    text = story_path.read_text(encoding="utf-8").rstrip()
    return f"\n{text}\nThe fault plan: {path.with_name(path.name.replace('schedule', 'plan'))}\nAgain: saga replay {path}"
