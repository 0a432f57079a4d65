//! Rows that change their table's name: renames, swaps, partitions that move.
use super::{
    held::{Temp, temp_key},
    passing::Event,
    scope::{Env, Rel},
    session::Resolver,
};
use crate::{
    lineage::{
        Access, Evidence, StatementLineage,
        sql::ir::{Move, Name, Stmt},
    },
    vocab::DatasetId,
};

impl Resolver<'_> {
    /// Rows that change their table's name.
    pub(super) fn moves(&mut self, stmt: &Stmt, number: usize) {
        let held = |all: &Self, one: &Move| all.held(&all.held_key(&one.from)).cloned();
        // The two of a swap change places at once; renames come one after the other.
        let before: Vec<Option<Temp>> = stmt.moves.iter().map(|one| held(self, one)).collect();
        for (one, before) in stmt.moves.iter().zip(before) {
            let temp = if one.gone { held(self, one) } else { before };
            match temp {
                Some(temp) => self.moved_held(stmt, number, one, temp),
                None if self.passes(&one.to) => self.moved_aside(one),
                None => self.moved(stmt, number, one),
            }
        }
    }

    /// A table of the session gets another name, or its rows come to stay.
    fn moved_held(&mut self, stmt: &Stmt, number: usize, one: &Move, temp: Temp) {
        let passes = self.passes(&one.from);
        if one.gone {
            self.temps.remove(&*self.held_key(&one.from).into_owned());
        }
        let stays = !passes || self.passes(&one.to) || self.held(&temp_key(&one.to)).is_some();
        if stays {
            self.temps.insert(self.held_key(&one.to).into_owned(), temp);
            return;
        }
        self.sources.clear();
        let rel = Rel { base: None, ..(*self.read_held(temp)).clone() };
        let Some(into) = self.write(&one.to) else { return };
        self.rows_moved(stmt, number, &rel, into);
    }

    /// A table steps aside: who reads it under its new name reads what it was.
    fn moved_aside(&mut self, one: &Move) {
        let Some(from) = self.record(&one.from, Access::Read, Evidence::Parsed) else { return };
        let owed = self.out.uses.pop().into_iter().collect();
        self.sources.clear();
        let rel = Rel { base: None, ..(*self.base(&from)).clone() };
        let temp = Temp { rel: rel.into(), tables: self.sources.clone(), owed };
        self.temps.insert(self.held_key(&one.to).into_owned(), temp);
        if one.gone {
            self.record(&one.from, Access::Drop, Evidence::Parsed);
        }
    }

    fn moved(&mut self, stmt: &Stmt, number: usize, one: &Move) {
        self.sources.clear();
        self.show_moved_temp(&one.from, &one.to);
        let log = self.log.take();
        let rel = Rel { base: None, ..(*self.table(&one.from, &Env::default())).clone() };
        if one.gone {
            self.record(&one.from, Access::Drop, Evidence::Parsed);
        }
        let into = self.write(&one.to);
        self.log = log;
        self.log_move(one);
        if let Some(into) = into {
            self.rows_moved(stmt, number, &rel, into);
        }
        if one.gone && self.shown.is_some() {
            self.temps.remove(&*temp_key(&one.from));
        }
    }

    /// Where tables of sessions are shown: a temp table is one under its new name too.
    fn show_moved_temp(&mut self, from: &Name, to: &Name) {
        if self.shown.is_some() && self.temps.contains_key(&*temp_key(from)) {
            self.show_temp(to, true, false);
        }
    }

    fn log_move(&mut self, one: &Move) {
        if self.log.is_none() {
            return;
        }
        let (Some(from), Some(to)) = (self.dataset(&one.from), self.dataset(&one.to)) else { return };
        match one.gone {
            true => {
                self.log_event(&from, Event::WentTo(to.clone()));
                self.log_event(&to, Event::CameFrom(from));
            }
            false => {
                self.log_event(&from, Event::Read);
                self.log_event(&to, Event::Written);
            }
        }
    }

    fn rows_moved(&mut self, stmt: &Stmt, number: usize, rel: &Rel, into: DatasetId) {
        self.remember(rel, &into);
        let mut made =
            StatementLineage { kind: stmt.kind.to_owned(), target: Some(into), ..StatementLineage::default() };
        let sources = self.source_names();
        self.add_rel(&mut made, rel, sources);
        self.out.statements.push((made, stmt.at.clone(), number));
    }
}
