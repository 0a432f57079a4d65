//! Rows that change their table's name: renames, swaps, schemas, partitions.
use super::ir::{Move, Name, Stmt};

impl Stmt {
    /// The rows move: the old name is read and gone, the new one is written.
    pub(super) fn rename(&mut self, from: Name, mut to: Name) {
        // `ALTER TABLE a.b RENAME TO c` stays in schema a.
        if to.parts.len() == 1 && from.parts.len() > 1 {
            to.parts.splice(0..0, from.parts[..from.parts.len() - 1].iter().cloned());
            to.exact = false;
        }
        self.kind = "rename";
        self.moves.push(Move { from, to, gone: true });
    }

    /// The same table in another schema.
    pub(super) fn change_schema(&mut self, from: Name, schema: &Name) {
        let mut to = Name { exact: false, ..from.clone() };
        let kept = to.parts.len().saturating_sub(2);
        let table = to.parts.pop().unwrap_or_default();
        to.parts.truncate(if schema.parts.len() > 1 { 0 } else { kept });
        to.parts.extend(schema.parts.iter().cloned().chain([table]));
        self.kind = "rename";
        self.moves.push(Move { from, to, gone: true });
    }

    /// Rows of `from` become rows of `to`; both names stay.
    pub(super) fn moved(&mut self, from: Name, to: Name) {
        self.moves.push(Move { from, to, gone: false });
    }

    /// Each takes the other's rows.
    pub(super) fn swap(&mut self, one: Name, other: Name) {
        self.kind = "swap";
        self.moved(one.clone(), other.clone());
        self.moved(other, one);
    }
}
