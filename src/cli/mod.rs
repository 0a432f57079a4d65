//! Arguments, settings, exit codes; one file per command. Joins the rooms.
mod args;
mod commands;
pub mod demo_data;
mod exit;
mod junit;
mod left_out;
mod man;
mod metrics;
mod signals;
mod workspace;

use std::{ffi::OsString, process};

use clap::{CommandFactory, Parser};

use self::{
    args::{Cli, Color, Command, Format, Global},
    exit::{ExitCode, Failure},
};
use crate::console::{Bars, ColorChoice, Screen};

/// What every command gets: the terminal, how to answer, and who hears of progress.
struct Context {
    screen: Screen,
    json: bool,
    format: Format,
    bars: Bars,
}

impl Context {
    /// Answers a program: `value` with the name of its shape before it.
    fn answer(&self, format: &str, value: &impl serde::Serialize) -> Result<(), Failure> {
        let value = serde_json::to_value(value).map_err(|error| Failure::new(ExitCode::Error, &error))?;
        let mut named = serde_json::Map::from_iter([("format".to_owned(), format.into())]);
        match value {
            serde_json::Value::Object(fields) => named.extend(fields),
            other => drop(named.insert("value".to_owned(), other)),
        }
        self.screen.answer(serde_json::Value::Object(named));
        Ok(())
    }
}

/// What a command comes to.
type Outcome = Result<ExitCode, Failure>;

/// Runs carve with `arguments`, the program's name first, and returns what the process should say.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> process::ExitCode {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    let cli = match Cli::try_parse_from(&arguments) {
        Ok(cli) => cli,
        Err(error) => return not_run(&error, &arguments).into(),
    };
    let context = context(&cli.global);
    let code = match fits(&cli).and_then(|()| dispatch(cli.command, &context)) {
        Ok(code) => code,
        Err(failure) => failure.show(&context.screen, context.json),
    };
    delivered(code, &context.screen).into()
}

/// Help and version are answers; everything else is a command line not understood.
fn not_run(error: &clap::Error, arguments: &[OsString]) -> ExitCode {
    let json = arguments.iter().any(|one| one == "--format=json")
        || arguments.windows(2).any(|pair| pair[0] == "--format" && pair[1] == "json");
    let screen = Screen::detect(ColorChoice::Never, false);
    if error.use_stderr() && json {
        let text = error.to_string();
        let said = text.lines().next().unwrap_or_default().trim_start_matches("error: ");
        return Failure::said(ExitCode::Usage, said).hint("`carve --help` shows what there is").show(&screen, true);
    }
    match error.print() {
        Err(failed) if failed.kind() != std::io::ErrorKind::BrokenPipe => {
            screen.error(format!("error: the answer could not be written: {failed}"));
            ExitCode::Error
        }
        _ if error.use_stderr() => ExitCode::Usage,
        _ => ExitCode::Done,
    }
}

/// Only lineage has more forms than text and JSON.
fn fits(cli: &Cli) -> Result<(), Failure> {
    match (&cli.command, cli.global.format) {
        (Command::Lineage(_), _) | (_, Format::Text | Format::Json) => Ok(()),
        _ => Err(Failure::said(ExitCode::Usage, "this command answers as text or JSON")
            .hint("use `--format text` or `--format json`; `carve lineage` has the other forms")),
    }
}

/// An answer that nobody received is no success.
fn delivered(code: ExitCode, screen: &Screen) -> ExitCode {
    match (code, screen.lost()) {
        (ExitCode::Done | ExitCode::Changes, Some(why)) => {
            screen.error(format!("error: the answer could not be written: {why}"));
            ExitCode::Error
        }
        (code, _) => code,
    }
}

fn context(global: &Global) -> Context {
    let choice = match global.color {
        Color::Auto => ColorChoice::Auto,
        Color::Always => ColorChoice::Always,
        Color::Never => ColorChoice::Never,
    };
    let screen = Screen::detect(choice, global.quiet);
    let bars = Bars::new(&screen);
    Context { screen, json: global.format == Format::Json, format: global.format, bars }
}

fn dispatch(command: Command, context: &Context) -> Outcome {
    match command {
        Command::Init(args) => started(context, async { commands::init::run(&args, context) }),
        Command::Scan(args) => started(context, async { commands::scan::run(&args, context) }),
        Command::Plan(args) => started(context, commands::plan::run(&args, context)),
        Command::Explain(args) => started(context, commands::explain::run(&args, context)),
        Command::Lineage(args) => started(context, async { commands::lineage::run(&args, context) }),
        Command::Apply(args) => started(context, commands::apply::run(&args, context)),
        Command::Refresh(args) => started(context, commands::refresh::run(&args, context)),
        Command::Verify(args) => started(context, commands::verify::run(&args, context)),
        Command::Rollback(args) => started(context, commands::rollback::run(&args, context)),
        Command::Status(args) => started(context, commands::status::run(&args, context)),
        Command::Switchover(args) => started(context, commands::switchover::run(&args, context)),
        Command::Catalog(args) => started(context, commands::catalog::run(&args, context)),
        Command::Report(args) => started(context, commands::report::run(&args, context)),
        Command::Demo(args) => started(context, commands::demo::run(&args, context)),
        Command::Completions { shell } => {
            let mut text = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "carve", &mut text);
            context.screen.out(String::from_utf8_lossy(&text).trim_end());
            Ok(ExitCode::Done)
        }
        Command::Man => {
            let page = man::page().map_err(|error| Failure::new(ExitCode::Error, &error))?;
            context.screen.out(page.trim_end());
            Ok(ExitCode::Done)
        }
    }
}

/// Async begins here. Requests to end are heard on other threads, whatever this one is busy with.
fn started(context: &Context, work: impl Future<Output = Outcome>) -> Outcome {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Failure::new(ExitCode::Error, &error))?;
    runtime.block_on(async {
        signals::listen(context.screen.clone());
        work.await
    })
}
