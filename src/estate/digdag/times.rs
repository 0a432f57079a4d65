//! `schedule:` of a workflow as a schedule.
use crate::{
    diagnostics::{CodeEntry, Diagnostic},
    estate::{
        Schedule,
        reader::Reading,
        text_file::TextFile,
        yaml::{Entry, Node},
    },
};

/// When the workflow runs.
pub(super) fn schedule(root: &Node, file: &TextFile, reading: &mut Reading) -> Option<Schedule> {
    let entries = root.get("schedule").map(Node::entries)?;
    let known = entries.iter().find(|entry| entry.key.scalar().is_some_and(|key| key.ends_with('>')))?;
    let schedule = of(known);
    if schedule.runs_per_day.is_none() {
        let here = format!("`{}` is no schedule carve understands", schedule.text);
        reading.faults.push(Diagnostic::new(CodeEntry::E022, file.span(known.value.start, known.value.end), here));
    }
    Some(schedule)
}

fn of(entry: &Entry) -> Schedule {
    let value = entry.value.scalar().unwrap_or_default().trim();
    let kind = entry.key.scalar().unwrap_or_default().trim_end_matches('>');
    // `07:00:00`, behind a day for weeks and months.
    let time = value.rsplit(',').next().unwrap_or_default().trim();
    let mut parts = time.split(':').map(|part| part.trim().parse::<u32>().unwrap_or(0));
    let (hour, minute) = (parts.next().unwrap_or(0), parts.next().unwrap_or(0));
    let day = value.split(',').next().unwrap_or_default().trim().to_lowercase();
    match kind {
        "hourly" => Schedule::of(format!("{hour} * * * *")),
        "daily" => Schedule::of(format!("{minute} {hour} * * *")),
        "weekly" => Schedule::of(format!("{minute} {hour} * * {}", day.get(..3).unwrap_or(&day))),
        "monthly" => Schedule::of(format!("{minute} {hour} {day} * *")),
        "minutes_interval" => Schedule::of(format!("every {value}m")),
        "cron" => Schedule::of(value),
        _ => Schedule { text: format!("{kind} {value}"), runs_per_day: None },
    }
}
