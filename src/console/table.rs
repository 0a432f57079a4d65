//! Tables where people compare. The one file that knows tabled.
use tabled::{
    builder::Builder,
    settings::{
        Alignment, Modify, Padding, Style,
        object::{Columns, Rows},
    },
};

use super::wrap::in_lines;

/// A table in the making: a header, rows, and which columns hold numbers.
#[derive(Clone, Debug)]
pub struct Table {
    header: Vec<String>,
    rows: Vec<Vec<String>>,
    numbers: Vec<usize>,
}

impl Table {
    /// A table with these column titles; a title that starts with `>` heads a column of numbers.
    pub fn new(titles: &[&str]) -> Self {
        let numbers = titles.iter().enumerate().filter(|(_, title)| title.starts_with('>')).map(|(at, _)| at).collect();
        let header = titles.iter().map(|title| title.trim_start_matches('>').to_owned()).collect();
        Table { header, rows: Vec::new(), numbers }
    }

    /// Takes one more row.
    pub fn row<S: Into<String>>(&mut self, cells: impl IntoIterator<Item = S>) -> &mut Self {
        self.rows.push(cells.into_iter().map(|cell| clean(&cell.into())).collect());
        self
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The table as text, without a newline at its end; cells wrap so that it keeps to `width` characters.
    pub fn text(&self, width: usize) -> String {
        self.drawn(width, Some(&self.header))
    }

    /// The same without the line of titles.
    pub fn rows_only(&self, width: usize) -> String {
        self.drawn(width, None)
    }

    fn drawn(&self, width: usize, header: Option<&Vec<String>>) -> String {
        let rooms = self.rooms(width, header.is_some());
        let mut builder = Builder::default();
        for cells in header.into_iter().chain(&self.rows) {
            builder.push_record(cells.iter().zip(&rooms).map(|(cell, room)| in_lines(cell, *room)));
        }
        let mut table = builder.build();
        table.with(Style::blank()).with(Padding::new(0, 1, 0, 0));
        for column in &self.numbers {
            table.with(Modify::new(Columns::one(*column)).with(Alignment::right()));
        }
        if header.is_some() {
            table.with(Modify::new(Rows::first()).with(Alignment::left()));
        }
        let text = table.to_string();
        let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
        lines.join("\n")
    }
}

/// Between two columns.
const GAP: usize = 2;
/// A word longer than this may be broken where room is short.
const LONG_WORD: usize = 24;

impl Table {
    /// The width of each column, so that a line keeps to `width` where that can be: the widest columns wrap
    /// first, and words are broken only when wrapping between them is not enough.
    fn rooms(&self, width: usize, titled: bool) -> Vec<usize> {
        let titles = self.header.iter().map(|title| vec![title.as_str()]);
        let mut columns: Vec<Vec<&str>> = if titled { titles.collect() } else { vec![Vec::new(); self.header.len()] };
        for row in &self.rows {
            for (column, cell) in columns.iter_mut().zip(row) {
                column.push(cell);
            }
        }
        let longest = |texts: &mut dyn Iterator<Item = &str>| texts.map(length).max().unwrap_or(0).max(1);
        let mut rooms: Vec<usize> = columns.iter().map(|cells| longest(&mut cells.iter().copied())).collect();
        let words: Vec<usize> = columns
            .iter()
            .map(|cells| longest(&mut cells.iter().flat_map(|cell| cell.split(' '))).min(LONG_WORD))
            .collect();
        let free = width.saturating_sub(GAP * rooms.len().saturating_sub(1));
        shrink(&mut rooms, &words, free);
        let least = vec![6; rooms.len()];
        shrink(&mut rooms, &least, free);
        rooms
    }
}

/// Takes from the widest of `rooms`, the last first, none below its floor, until their sum is `free`.
fn shrink(rooms: &mut [usize], floors: &[usize], free: usize) {
    while rooms.iter().sum::<usize>() > free {
        let above = rooms.iter().enumerate().filter(|(at, room)| **room > floors[*at]);
        let Some((widest, _)) = above.max_by_key(|(at, room)| (**room, *at)) else { return };
        rooms[widest] -= 1;
    }
}

fn length(text: &str) -> usize {
    text.chars().count()
}

/// Control characters would tear the table apart, or worse, drive the terminal.
fn clean(cell: &str) -> String {
    cell.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// A bar of `width` characters, `share` (0 to 1) of it filled.
pub fn bar(share: f64, width: usize) -> String {
    let filled = (share.clamp(0.0, 1.0) * width as f64).round() as usize;
    format!("{}{}", "█".repeat(filled), "░".repeat(width - filled))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_stand_to_the_right_and_no_line_ends_in_blanks() {
        let mut table = Table::new(&["name", ">rows"]);
        table.row(["orders", "7"]).row(["a", "1,200"]);
        let text = table.text(80);
        assert!(text.lines().all(|line| line == line.trim_end()), "{text}");
        let lines: Vec<&str> = text.lines().collect();
        assert!(lines[1].ends_with("    7") && lines[2].ends_with("1,200"), "{text}");
    }

    #[test]
    fn a_long_cell_wraps_and_leaves_the_others_whole() {
        let mut table = Table::new(&["proof", "because"]);
        table.row(["transport", &"long words ".repeat(30)]);
        let text = table.text(60);
        assert!(text.contains("transport"), "{text}");
        assert!(text.lines().all(|line| line.chars().count() <= 60), "{text}");
    }

    #[test]
    fn titles_and_short_words_stay_whole_where_another_column_can_wrap() {
        let mut table = Table::new(&["Candidate", ">Person-days", "Because"]);
        table.row(["orders", "17.1 (16–19)", "one two three four five six seven eight nine ten"]);
        table.row(["an-extraordinarily-long-winded-name-of-a-service", "8", ""]);
        let text = table.text(60);
        assert!(text.contains("Candidate") && text.contains("Person-days") && text.contains("17.1 (16–19)"), "{text}");
        assert!(text.lines().all(|line| line.chars().count() <= 60), "{text}");
    }

    #[test]
    fn an_escape_sequence_in_a_name_is_disarmed() {
        let mut table = Table::new(&["name"]);
        table.row(["a\u{1b}[2Jb\nc"]);
        assert!(!table.text(80).contains('\u{1b}'));
    }

    #[test]
    fn a_bar_is_as_full_as_its_share() {
        assert_eq!(bar(0.5, 4), "██░░");
        assert_eq!(bar(7.0, 2), "██");
    }
}
