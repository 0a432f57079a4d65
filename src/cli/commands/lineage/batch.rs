//! `carve lineage --batch`: scripts by the line.
use std::{
    fs::File,
    io::{BufRead, BufReader},
};

use camino::Utf8Path;

use super::{no_such_form, script, steps};
use crate::{
    cli::{
        Context, Outcome,
        args::{Format, LineageArgs},
        exit::{ExitCode, Failure},
    },
    export::batch::{self, BatchDefaults},
};

pub(super) fn run(file: &Utf8Path, args: &LineageArgs, context: &Context) -> Outcome {
    if !matches!(context.format, Format::Text | Format::Json | Format::Jsonl) {
        return Err(no_such_form(context.format, "a batch", "jsonl"));
    }
    let dialect = args.dialect.as_deref().map(script::known_dialect).transpose()?;
    let defaults = BatchDefaults {
        dialect: dialect.map(str::to_owned),
        catalog: script::catalog(args, dialect)?,
        steps: steps(args),
    };
    let failed = |error: std::io::Error| {
        Failure::read(file, &error).hint("name a file of JSON lines, or `-` for standard input")
    };
    let input: Box<dyn BufRead> = match file.as_str() {
        "-" => Box::new(BufReader::new(std::io::stdin())),
        path => Box::new(BufReader::with_capacity(1 << 16, File::open(path).map_err(failed)?)),
    };
    let count = batch::run(input, &defaults, |answer| {
        context.screen.answer(answer);
        context.screen.lost().is_none()
    });
    let count = count.map_err(failed)?;
    if count.failed == 0 {
        return Ok(ExitCode::Done);
    }
    context.screen.error(format!("error: {} of {} lines could not be read: each says why", count.failed, count.lines));
    Ok(ExitCode::Error)
}
