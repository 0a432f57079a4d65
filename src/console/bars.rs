//! Progress as bars, on a terminal only. The one file that knows indicatif.
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::Screen;
use crate::progress::{Progress, ProgressEvent};

/// Draws what it hears on standard error; says plain lines where there is no terminal. Clones draw on one display.
#[derive(Clone)]
pub struct Bars {
    screen: Screen,
    all: MultiProgress,
    running: Arc<Mutex<BTreeMap<String, ProgressBar>>>,
    /// Whether plain lines are shown too.
    lines: bool,
}

impl Bars {
    /// Bars for `screen`.
    pub fn new(screen: &Screen) -> Self {
        let target = match screen.interactive() {
            true => ProgressDrawTarget::stderr_with_hz(10),
            false => ProgressDrawTarget::hidden(),
        };
        Bars {
            screen: screen.clone(),
            all: MultiProgress::with_draw_target(target),
            running: Arc::default(),
            lines: true,
        }
    }

    /// The same bars without the lines: for a command that tells its own story.
    pub fn without_lines(self) -> Self {
        Bars { lines: false, ..self }
    }

    fn start(&self, name: &str, total: Option<u64>, unit: &'static str) {
        let bar = self.all.add(match total {
            Some(total) => ProgressBar::new(total).with_style(style(&format!(
                "{{spinner}} {{prefix:<26}} {{wide_bar}} {{human_pos}} of {{human_len}} {unit} {{eta:>4}}"
            ))),
            None => ProgressBar::no_length()
                .with_style(style(&format!("{{spinner}} {{prefix:<26}} {{human_pos}} {unit} {{elapsed:>4}}"))),
        });
        bar.set_prefix(name.to_owned());
        bar.enable_steady_tick(Duration::from_millis(120));
        if let Some(old) = self.bars().insert(name.to_owned(), bar) {
            old.finish_and_clear();
        }
    }

    fn bars(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, ProgressBar>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// A bar that cannot be styled is drawn plainly: no reason to stop the work.
fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}

impl Progress for Bars {
    fn on(&self, event: &ProgressEvent) {
        match event {
            ProgressEvent::Started { name, total, unit } => self.start(name, *total, unit),
            ProgressEvent::Advanced { name, done } => {
                if let Some(bar) = self.bars().get(name) {
                    bar.set_position(*done);
                }
            }
            ProgressEvent::Finished { name, .. } => {
                if let Some(bar) = self.bars().remove(name) {
                    bar.finish_and_clear();
                    self.all.remove(&bar);
                }
            }
            ProgressEvent::Said(line) if self.lines => self.all.suspend(|| self.screen.note(line)),
            ProgressEvent::Said(_) => {}
        }
    }
}
