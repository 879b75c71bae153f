//! Save & Restart: what comes after what when new settings are applied, and the way back when they are not good.
//!
//! A table of steps in each direction and a place in it: whoever carries the steps out asks for the
//! [order](Apply::order), and says whether it was [done](Apply::done) or has [failed](Apply::failed). Nothing is begun
//! before everything was judged, so the first step is the first that changes anything.

mod choice;

use serde::{Deserialize, Serialize};

pub use choice::{ProcessName, Sight, Verdict};

/// What new settings change in what is at work.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApplyPlan {
    /// The settings file gets another text.
    pub writes: bool,
    /// Files that are made of templates get other texts, or other authorities are trusted.
    pub makes: bool,
    /// Groups that are no longer there.
    pub removed: Vec<String>,
    /// Groups that are others now.
    pub changed: Vec<String>,
    /// Groups that are new.
    pub added: Vec<String>,
    /// Processes, by group and name, that stay as they are and are restarted because a setting names them.
    pub restarted: Vec<ProcessName>,
    /// Processes, by group and name, that read files again which are made of templates.
    pub reloaded: Vec<ProcessName>,
}

/// Whether new settings are being applied, or taken back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Direction {
    /// Towards the new ones.
    Forward,
    /// Back to those of before.
    Back,
}

/// A step to carry out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum ApplyOrder {
    /// Give the settings file its text, and those that are made with it: the new ones, or those of before.
    File,
    /// Take the configuration in that goes with it.
    Configure,
    /// What stays as it is and is restarted, or reads files again, gets the settings of this direction from here on.
    /// Before it is stopped, as somebody may start it again before it is its turn.
    Switch,
    /// Stop what is to be removed, changed or restarted, and wait until it is down.
    Stop,
    /// Remove groups.
    Remove,
    /// Add groups, and start what is to be restarted.
    Start,
    /// Have services read their files again.
    Reload,
    /// Wait until what was started is ready.
    Wait,
    /// These settings count for everything from here on.
    Settle,
}

const FORWARD: [ApplyOrder; 9] = [
    ApplyOrder::File,
    ApplyOrder::Configure,
    ApplyOrder::Switch,
    ApplyOrder::Stop,
    ApplyOrder::Remove,
    ApplyOrder::Start,
    ApplyOrder::Reload,
    ApplyOrder::Wait,
    ApplyOrder::Settle,
];

/// The file first: whoever starts the daemon anew after it was killed here gets what was good.
const BACK: [ApplyOrder; 9] = [
    ApplyOrder::File,
    ApplyOrder::Switch,
    ApplyOrder::Stop,
    ApplyOrder::Remove,
    ApplyOrder::Configure,
    ApplyOrder::Start,
    ApplyOrder::Reload,
    ApplyOrder::Wait,
    ApplyOrder::Settle,
];

/// How it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ApplyEnd {
    /// Everything has the new settings.
    Done,
    /// The file could not be written: nothing has changed.
    Refused,
    /// Everything has the settings of before.
    RolledBack,
    /// The file is as before, but something else could not be brought back.
    NotRolledBack,
    /// It has failed, and there was nothing to go back to: the file had these settings before.
    Failed,
    /// The daemon is going down. What it has written stays, and counts when it starts again.
    Interrupted,
}

/// New settings on their way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Apply {
    plan: ApplyPlan,
    direction: Direction,
    /// Place in the table of the direction.
    at: usize,
    /// The furthest step forward that was begun.
    reached: ApplyOrder,
    /// Something could not be brought back.
    is_broken: bool,
    /// Processes that were up, or on their way, before anything was stopped.
    were_up: Vec<ProcessName>,
    /// Processes that somebody had stopped by then.
    were_stopped: Vec<ProcessName>,
    /// Processes that have to come up.
    awaited: Vec<ProcessName>,
    end: Option<ApplyEnd>,
}

impl Apply {
    /// Nothing has been done yet.
    #[must_use]
    pub fn new(plan: ApplyPlan) -> Self {
        let mut apply = Self {
            plan,
            direction: Direction::Forward,
            at: 0,
            reached: ApplyOrder::File,
            is_broken: false,
            were_up: Vec::new(),
            were_stopped: Vec::new(),
            awaited: Vec::new(),
            end: None,
        };
        apply.pass_over();
        apply
    }

    /// What is to be done now; none at the end.
    #[must_use]
    pub fn order(&self) -> Option<ApplyOrder> {
        if self.end.is_some() {
            return None;
        }
        self.table().get(self.at).copied()
    }

    /// Which way it goes.
    #[must_use]
    pub fn direction(&self) -> Direction {
        self.direction
    }

    /// How it has ended, if it has.
    #[must_use]
    pub fn end(&self) -> Option<ApplyEnd> {
        self.end
    }

    /// What is changed.
    #[must_use]
    pub fn plan(&self) -> &ApplyPlan {
        &self.plan
    }

    /// Groups that the present direction removes.
    pub fn removes(&self) -> impl Iterator<Item = &String> {
        let plan = &self.plan;
        let only = match self.direction {
            Direction::Forward => &plan.removed,
            Direction::Back => &plan.added,
        };
        plan.changed.iter().chain(only)
    }

    /// Groups that the present direction adds.
    pub fn adds(&self) -> impl Iterator<Item = &String> {
        let plan = &self.plan;
        let only = match self.direction {
            Direction::Forward => &plan.added,
            Direction::Back => &plan.removed,
        };
        plan.changed.iter().chain(only)
    }

    /// The files that were just made bring other groups than it was thought before. Nothing has been stopped yet.
    pub fn replan(&mut self, removed: Vec<String>, changed: Vec<String>, added: Vec<String>) {
        if self.direction == Direction::Forward && self.reached <= ApplyOrder::Configure {
            let plan = &mut self.plan;
            let is_made_anew =
                |(group, _): &ProcessName| removed.contains(group) || changed.contains(group);
            plan.restarted.retain(|process| !is_made_anew(process));
            plan.reloaded.retain(|process| !is_made_anew(process));
            (plan.removed, plan.changed, plan.added) = (removed, changed, added);
        }
    }

    /// The order was carried out.
    pub fn done(&mut self) {
        if self.end.is_none() {
            self.at += 1;
            self.pass_over();
        }
    }

    /// The order could not be carried out.
    pub fn failed(&mut self) {
        if self.end.is_some() {
            return;
        }
        match self.direction {
            // On the way back there is no other way: the rest is done as well as it can be.
            Direction::Back => {
                self.is_broken = true;
                self.at += 1;
            }
            Direction::Forward if self.reached == ApplyOrder::File => {
                self.end = Some(ApplyEnd::Refused);
            }
            Direction::Forward if !self.plan.writes => self.end = Some(ApplyEnd::Failed),
            Direction::Forward => {
                self.direction = Direction::Back;
                self.at = 0;
            }
        }
        self.pass_over();
    }

    /// The daemon is going down.
    pub fn interrupted(&mut self) {
        if self.end.is_none() {
            self.end = Some(ApplyEnd::Interrupted);
        }
    }

    fn table(&self) -> &'static [ApplyOrder] {
        match self.direction {
            Direction::Forward => &FORWARD,
            Direction::Back => &BACK,
        }
    }

    /// Passes over what there is nothing to do for, and notices the end.
    fn pass_over(&mut self) {
        while let Some(order) = self.order() {
            if self.has_to(order) {
                if self.direction == Direction::Forward {
                    self.reached = self.reached.max(order);
                }
                return;
            }
            self.at += 1;
        }
        if self.end.is_none() {
            self.end = Some(match self.direction {
                Direction::Forward => ApplyEnd::Done,
                Direction::Back if self.is_broken => ApplyEnd::NotRolledBack,
                Direction::Back => ApplyEnd::RolledBack,
            });
        }
    }

    fn has_to(&self, order: ApplyOrder) -> bool {
        let plan = &self.plan;
        let is_nothing = plan.removed.is_empty()
            && plan.changed.is_empty()
            && plan.added.is_empty()
            && plan.restarted.is_empty()
            && plan.reloaded.is_empty();
        let was_begun = match self.direction {
            Direction::Forward => true,
            // What was not begun need not be undone.
            Direction::Back => match order {
                ApplyOrder::File | ApplyOrder::Settle => true,
                ApplyOrder::Configure => self.reached >= ApplyOrder::Configure,
                ApplyOrder::Switch
                | ApplyOrder::Stop
                | ApplyOrder::Remove
                | ApplyOrder::Start
                | ApplyOrder::Reload
                | ApplyOrder::Wait => self.reached >= ApplyOrder::Switch,
            },
        };
        was_begun
            && match order {
                ApplyOrder::File => plan.writes || plan.makes,
                ApplyOrder::Reload => !plan.reloaded.is_empty(),
                ApplyOrder::Configure | ApplyOrder::Settle => true,
                ApplyOrder::Switch => !(plan.restarted.is_empty() && plan.reloaded.is_empty()),
                ApplyOrder::Stop | ApplyOrder::Start | ApplyOrder::Wait => !is_nothing,
                ApplyOrder::Remove => self.removes().next().is_some(),
            }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan() -> ApplyPlan {
        ApplyPlan {
            writes: true,
            removed: vec!["old".to_owned()],
            changed: vec!["web".to_owned()],
            added: vec!["new".to_owned()],
            restarted: vec![("worker".to_owned(), "worker".to_owned())],
            makes: true,
            reloaded: vec![("proxy".to_owned(), "proxy".to_owned())],
        }
    }

    /// The steps that are carried out if these orders fail, by number, and the end.
    fn played(plan: ApplyPlan, failing: &[usize]) -> (Vec<(Direction, ApplyOrder)>, ApplyEnd) {
        let mut apply = Apply::new(plan);
        let mut orders = Vec::new();
        while let Some(order) = apply.order() {
            orders.push((apply.direction(), order));
            if failing.contains(&(orders.len() - 1)) {
                apply.failed();
            } else {
                apply.done();
            }
            assert!(orders.len() < 20, "it comes to an end");
        }
        (orders, apply.end().unwrap())
    }

    fn forward(orders: &[ApplyOrder]) -> Vec<(Direction, ApplyOrder)> {
        let with = |order: &ApplyOrder| (Direction::Forward, *order);
        orders.iter().map(with).collect()
    }

    #[test]
    fn what_is_good_goes_through_all_steps() {
        let (orders, end) = played(plan(), &[]);
        assert_eq!((orders, end), (forward(&FORWARD), ApplyEnd::Done));
    }

    #[test]
    fn what_changes_nothing_at_work_touches_nothing() {
        let plan = ApplyPlan {
            writes: true,
            ..ApplyPlan::default()
        };
        let expected = [ApplyOrder::File, ApplyOrder::Configure, ApplyOrder::Settle];
        assert_eq!(played(plan, &[]), (forward(&expected), ApplyEnd::Done));
    }

    #[test]
    fn a_file_that_cannot_be_written_is_the_end() {
        let (orders, end) = played(plan(), &[0]);
        assert_eq!(orders, forward(&[ApplyOrder::File]));
        assert_eq!(end, ApplyEnd::Refused);
    }

    #[test]
    fn the_way_back_undoes_what_was_begun_and_the_file_first() {
        for failing in 1..FORWARD.len() {
            let (orders, end) = played(plan(), &[failing]);
            assert_eq!(end, ApplyEnd::RolledBack);
            let back: Vec<ApplyOrder> = orders[failing + 1..]
                .iter()
                .map(|(direction, order)| {
                    assert_eq!(*direction, Direction::Back);
                    *order
                })
                .collect();
            let expected: &[ApplyOrder] = if failing == 1 {
                &[ApplyOrder::File, ApplyOrder::Configure, ApplyOrder::Settle]
            } else {
                &BACK
            };
            assert_eq!(back, expected, "after {:?}", FORWARD[failing]);
        }
    }

    #[test]
    fn what_fails_on_the_way_back_does_not_hold_up_the_rest() {
        for failing in 8..8 + BACK.len() {
            let (orders, end) = played(plan(), &[7, failing]);
            assert_eq!(orders.len(), 8 + BACK.len());
            assert_eq!(end, ApplyEnd::NotRolledBack);
        }
    }

    #[test]
    fn groups_go_the_other_way_round_on_the_way_back() {
        let mut apply = Apply::new(plan());
        let names = |names: Vec<&String>| {
            let names: Vec<&str> = names.into_iter().map(String::as_str).collect();
            names.join(" ")
        };
        assert_eq!(names(apply.removes().collect()), "web old");
        assert_eq!(names(apply.adds().collect()), "web new");
        apply.done();
        apply.failed();
        assert_eq!(names(apply.removes().collect()), "web new");
        assert_eq!(names(apply.adds().collect()), "web old");
    }

    #[test]
    fn without_a_change_of_the_file_there_is_nothing_to_go_back_to() {
        let plan = ApplyPlan {
            writes: false,
            ..plan()
        };
        let (orders, end) = played(plan, &[6]);
        assert_eq!(orders, forward(&FORWARD[..7]));
        assert_eq!(end, ApplyEnd::Failed);
    }

    #[test]
    fn files_that_were_made_may_bring_other_groups() {
        let mut apply = Apply::new(plan());
        apply.done();
        apply.replan(
            Vec::new(),
            vec!["worker".to_owned()],
            vec!["more".to_owned()],
        );
        assert_eq!(apply.plan().restarted, []);
        assert_eq!(apply.plan().reloaded, plan().reloaded);
        apply.done();
        assert_eq!(apply.order(), Some(ApplyOrder::Switch));
        apply.replan(Vec::new(), Vec::new(), Vec::new());
        assert_eq!(apply.plan().added, ["more"], "too late");
    }

    #[test]
    fn the_end_of_the_daemon_ends_it() {
        let mut apply = Apply::new(plan());
        apply.done();
        apply.interrupted();
        apply.failed();
        apply.done();
        assert_eq!(apply.order(), None);
        assert_eq!(apply.end(), Some(ApplyEnd::Interrupted));
    }
}
