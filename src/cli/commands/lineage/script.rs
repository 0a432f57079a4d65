//! `carve lineage --sql`: one script read by itself.
use std::{fs, io::Read};

use camino::Utf8Path;

use super::{drawn, event_options, no_such_form, steps, views};
use crate::{
    cli::{
        Context, Outcome,
        args::{Format, LineageArgs},
        exit::{ExitCode, Failure},
    },
    console::frame,
    diagnostics::{CodeEntry, Diagnostics, Severity},
    estate::{DIALECTS, decoded, dialect_named},
    export::{Catalog, Picture, catalog_from, openlineage::script_event},
    lineage,
};

pub(super) fn run(file: &Utf8Path, args: &LineageArgs, context: &Context) -> Outcome {
    let dialect = args.dialect.as_deref().map(known_dialect).transpose()?;
    let catalog = catalog(args, dialect)?;
    let text = read_text(file)?;
    let (lineage, diagnostics) = lineage::read_sql_steps(&text, dialect, &catalog, steps(args));
    let name = if file == "-" { "stdin" } else { file.file_stem().unwrap_or("script") };
    match context.format {
        Format::Text => {
            context.screen.out(views::script_text(&lineage, context.screen.width()));
            show(&diagnostics, &text, context);
        }
        Format::Json => context.screen.answer(views::script_json(&lineage, &diagnostics)),
        Format::Openlineage => {
            let options = event_options(None, args)?;
            context.screen.answer(script_event(name, &text, dialect, &lineage, &options));
            show(&diagnostics, &text, context);
        }
        Format::Dot | Format::Mermaid => {
            context.screen.out(drawn(&Picture::of_script(name, &lineage), args, context).unwrap_or_default());
            show(&diagnostics, &text, context);
        }
        Format::Jsonl => return Err(no_such_form(context.format, "one script", "text|json|dot|mermaid|openlineage")),
    }
    let failed = diagnostics.iter().any(|d| d.code.severity == Severity::Error);
    Ok(if failed { ExitCode::Error } else { ExitCode::Done })
}

fn show(diagnostics: &Diagnostics, text: &str, context: &Context) {
    for diagnostic in diagnostics.iter() {
        context.screen.note(frame(diagnostic, Some(text), context.screen.color(), context.screen.width()));
    }
}

/// The dialect that people call `name`.
pub(super) fn known_dialect(name: &str) -> Result<&'static str, Failure> {
    dialect_named(name).ok_or_else(|| {
        Failure::said(ExitCode::Usage, format!("{}: `{name}`", CodeEntry::E014.summary))
            .hint(format!("carve reads {}", DIALECTS.join(", ")))
    })
}

/// The columns of tables that `--catalog` gives.
pub(super) fn catalog(args: &LineageArgs, dialect: Option<&str>) -> Result<Catalog, Failure> {
    let Some(file) = &args.catalog else { return Ok(Catalog::new()) };
    let text = read_text(file)?;
    catalog_from(file, &text, dialect).map_err(|error| {
        Failure::said(ExitCode::Error, format!("cannot use the catalog `{file}`: {error}"))
            .hint("docs/COMMANDS.md shows the forms of a catalog")
    })
}

fn read_text(file: &Utf8Path) -> Result<String, Failure> {
    let failed =
        |error: std::io::Error| Failure::read(file, &error).hint("name a text file, or `-` for standard input");
    let bytes = match file.as_str() {
        "-" => {
            let mut bytes = Vec::new();
            std::io::stdin().read_to_end(&mut bytes).map(|_| bytes)
        }
        path => fs::read(path),
    };
    let no_text = || std::io::Error::new(std::io::ErrorKind::InvalidData, "it is no text");
    decoded(bytes.map_err(failed)?).ok_or_else(|| failed(no_text()))
}
