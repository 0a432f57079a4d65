//! The manual: one page with carve itself, each command in a section of its own, and what exit codes mean.
use std::io;

use clap::{Command, CommandFactory};
use clap_mangen::Man;

use super::args::Cli;

/// The page, in roff.
pub(super) fn page() -> io::Result<String> {
    let mut carve = Cli::command();
    carve.build();
    let mut page = Vec::new();
    let whole = Man::new(carve.clone());
    whole.render_title(&mut page)?;
    whole.render_name_section(&mut page)?;
    whole.render_synopsis_section(&mut page)?;
    whole.render_description_section(&mut page)?;
    // What every command takes is told once, here.
    whole.render_options_section(&mut page)?;
    for command in carve.get_subcommands().filter(|command| command.get_name() != "help") {
        page.extend(section(command)?);
    }
    whole.render_extra_section(&mut page)?;
    Ok(String::from_utf8_lossy(&page).into_owned())
}

/// One command, its own parts a level below its name.
fn section(command: &Command) -> io::Result<Vec<u8>> {
    let own = command.clone().mut_args(|arg| {
        let everywhere = arg.is_global_set() || arg.get_id() == "help";
        arg.hide(everywhere)
    });
    let man = Man::new(own);
    let mut body = Vec::new();
    man.render_synopsis_section(&mut body)?;
    man.render_description_section(&mut body)?;
    man.render_options_section(&mut body)?;
    let body = String::from_utf8_lossy(&body).replace(".SH ", ".SS ");
    let title = format!(".SH CARVE {}\n", command.get_name().to_uppercase());
    Ok([title.into_bytes(), body.into_bytes()].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_has_its_section_and_no_page_is_named_that_is_not_there() {
        let page = page().unwrap();
        for command in Cli::command().get_subcommands() {
            assert!(page.contains(&format!(".SH CARVE {}\n", command.get_name().to_uppercase())), "{page}");
        }
        assert!(!page.contains("init(1)"), "{page}");
        // What every command takes stands once, before them.
        let (head, commands) = page.split_at(page.find(".SH CARVE").unwrap());
        assert!(head.contains("\\-\\-color") && !commands.contains("\\-\\-color"), "{page}");
        assert!(page.contains("Exit codes"), "{page}");
    }
}
