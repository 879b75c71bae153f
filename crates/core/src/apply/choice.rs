//! Whom the steps of an apply are about, and whether those have come up: chosen from what is seen of the processes at
//! that moment, for much may have happened since the plan was made.

use std::collections::BTreeMap;

use crate::{
    Apply, ApplyOrder, DaemonState, Direction, ProcessState, ProcessView, Reason, Supervisor,
};

/// A process, by group and name.
pub type ProcessName = (String, String);

/// A process as an apply sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sight {
    /// Which.
    pub name: ProcessName,
    /// Its state.
    pub state: ProcessState,
    /// It is down because it went down with what it depends on.
    pub went_along: bool,
    /// It is as it should be: up and ready, or it has done its work.
    pub is_settled: bool,
    /// It runs to its end once.
    pub is_oneshot: bool,
    /// Something happens to it by itself, at a time that is known.
    pub goes_on: bool,
}

/// How those stand that are waited for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// All are up.
    Ready,
    /// These are not yet.
    NotYet(Vec<ProcessName>),
    /// These will not be by themselves.
    Failed(Vec<ProcessName>),
}

impl Sight {
    fn of(view: &ProcessView<'_>) -> Self {
        let service = view.config.service.as_ref();
        Self {
            name: (view.group.to_owned(), view.config.name.clone()),
            state: view.state,
            went_along: went_along(view),
            is_settled: view.is_settled,
            is_oneshot: service.is_some_and(|service| service.oneshot),
            goes_on: view.next_change.is_some(),
        }
    }

    fn is_under_way(&self) -> bool {
        match self.state {
            ProcessState::Starting
            | ProcessState::Running
            | ProcessState::Backoff
            | ProcessState::Stopping => true,
            ProcessState::Stopped
            | ProcessState::Exited
            | ProcessState::Fatal
            | ProcessState::Unknown => false,
        }
    }

    fn is_ready(&self) -> bool {
        // What a oneshot has done before does not count while it does it again, nor if that fails.
        let has_ended = self.state == ProcessState::Exited && !self.goes_on;
        self.is_settled && (has_ended || !self.is_oneshot)
    }

    fn has_failed(&self) -> bool {
        !self.is_under_way() && !self.goes_on
    }
}

impl Supervisor {
    /// What an apply sees of all processes, by group and name; nothing once the daemon is going down.
    #[must_use]
    pub fn sights(&self) -> Option<Vec<Sight>> {
        let is_running = self.state() == DaemonState::Running;
        let all = is_running.then(|| self.processes_by_name())?;
        Some(all.iter().map(Sight::of).collect())
    }
}

fn went_along(view: &ProcessView<'_>) -> bool {
    let is_for_others = |reason: &Reason| {
        matches!(
            reason,
            Reason::DependencyLost { .. } | Reason::DependencyStops
        )
    };
    view.state == ProcessState::Stopped
        && (is_for_others(view.reason) || view.reason_before.is_some_and(is_for_others))
}

impl Apply {
    /// Which processes get the settings of the present direction when an order is begun: those that stay as they are.
    #[must_use]
    pub fn to_switch(&self, order: ApplyOrder) -> Vec<ProcessName> {
        let plan = self.plan();
        if order == ApplyOrder::Switch {
            let both = plan.restarted.iter().chain(&plan.reloaded);
            both.cloned().collect()
        } else {
            Vec::new()
        }
    }

    /// Groups whose processes, as they will be, get them when an order is begun: before anybody can add the group.
    #[must_use]
    pub fn groups_to_switch(&self, order: ApplyOrder) -> &[String] {
        let plan = self.plan();
        match (order, self.direction()) {
            (ApplyOrder::Configure, Direction::Forward) => &plan.added,
            // With the settings of before as long as they are as before: until they are down.
            (ApplyOrder::Remove, _) => &plan.changed,
            (_, Direction::Forward | Direction::Back) => &[],
        }
    }

    /// Whom to stop.
    pub fn to_stop(&mut self, seen: &[Sight]) -> Vec<ProcessName> {
        if self.direction() == Direction::Forward {
            let names = |is_meant: fn(&Sight) -> bool| {
                let all = seen.iter().filter(|sight| is_meant(sight));
                all.map(|sight| sight.name.clone()).collect()
            };
            self.were_up = names(|sight| sight.state.is_running());
            self.were_stopped = names(|sight| sight.state == ProcessState::Stopped);
        }
        let leaving: Vec<&String> = self.removes().collect();
        let members = seen.iter().filter(|sight| leaving.contains(&&sight.name.0));
        let mut targets = self.plan().restarted.clone();
        targets.extend(members.map(|sight| sight.name.clone()));
        targets
    }

    /// Whom to start, when groups have been added; all that was added is waited for if it starts with its group.
    /// `added`: the processes of those groups, and whether they do.
    pub fn to_start(
        &mut self,
        seen: &[Sight],
        added: impl Iterator<Item = (ProcessName, bool)>,
    ) -> Vec<ProcessName> {
        self.awaited = added
            .filter(|(_, autostart)| *autostart)
            .map(|(name, _)| name)
            .collect();
        // Whom somebody has stopped since the plan was made stays stopped.
        let mut restarted = self.plan().restarted.clone();
        restarted.retain(|name| !self.were_stopped.contains(name));
        // Beside those that are to be restarted, those that went down with what they depend on.
        let is_meant = |sight: &&Sight| {
            !sight.state.is_running()
                && (restarted.contains(&sight.name)
                    || (sight.went_along && self.were_up.contains(&sight.name)))
        };
        let down = seen.iter().filter(is_meant);
        let down: Vec<ProcessName> = down.map(|sight| sight.name.clone()).collect();
        self.awaits(&restarted);
        self.awaits(&down);
        down
    }

    /// Whom to have read its files again.
    pub fn to_reload(&mut self) -> Vec<ProcessName> {
        let reloaded = self.plan().reloaded.clone();
        self.awaits(&reloaded);
        reloaded
    }

    fn awaits(&mut self, names: &[ProcessName]) {
        for name in names {
            if !self.awaited.contains(name) {
                self.awaited.push(name.clone());
            }
        }
    }

    /// How those stand that have to come up.
    #[must_use]
    pub fn verdict(&self, seen: &[Sight]) -> Verdict {
        let (mut missing, mut failed) = (Vec::new(), Vec::new());
        // This is asked at each change of anybody.
        let seen: BTreeMap<_, _> = seen.iter().map(|sight| (&sight.name, sight)).collect();
        for name in &self.awaited {
            match seen.get(name) {
                Some(sight) if sight.is_ready() => {}
                Some(sight) if !sight.has_failed() => missing.push(name.clone()),
                Some(_) | None => failed.push(name.clone()),
            }
        }
        if !failed.is_empty() {
            Verdict::Failed(failed)
        } else if missing.is_empty() {
            Verdict::Ready
        } else {
            Verdict::NotYet(missing)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ApplyPlan;

    fn name(name: &str) -> ProcessName {
        (name.to_owned(), name.to_owned())
    }

    fn sight(of: &str, state: ProcessState, is_settled: bool) -> Sight {
        Sight {
            name: name(of),
            state,
            went_along: false,
            is_settled,
            is_oneshot: false,
            goes_on: false,
        }
    }

    /// What is judged of these when all of those names are waited for.
    fn judged(seen: &[Sight], names: &[&str]) -> Verdict {
        let mut apply = Apply::new(ApplyPlan::default());
        apply.awaits(&names.iter().map(|of| name(of)).collect::<Vec<_>>());
        apply.verdict(seen)
    }

    #[test]
    fn ready_is_when_all_are_and_failed_as_soon_as_one_has() {
        let all = [
            sight("up", ProcessState::Running, true),
            sight("slow", ProcessState::Running, false),
            sight("again", ProcessState::Backoff, false),
            sight("dead", ProcessState::Fatal, false),
            sight("done", ProcessState::Exited, true),
            sight("gone", ProcessState::Exited, false),
        ];
        assert_eq!(judged(&all, &[]), Verdict::Ready);
        assert_eq!(judged(&all, &["up", "done"]), Verdict::Ready);
        assert_eq!(
            judged(&all, &["up", "slow", "again"]),
            Verdict::NotYet(vec![name("slow"), name("again")])
        );
        assert_eq!(
            judged(&all, &["slow", "dead", "gone", "nobody"]),
            Verdict::Failed(vec![name("dead"), name("gone"), name("nobody")])
        );
    }

    #[test]
    fn what_will_come_by_itself_has_not_failed() {
        let later = Sight {
            goes_on: true,
            ..sight("later", ProcessState::Exited, false)
        };
        let not_yet = Verdict::NotYet(vec![name("later")]);
        assert_eq!(judged(&[later], &["later"]), not_yet);
    }

    #[test]
    fn a_oneshot_is_waited_for_although_it_has_done_its_work_before() {
        let mut job = Sight {
            is_oneshot: true,
            ..sight("job", ProcessState::Running, true)
        };
        let not_yet = Verdict::NotYet(vec![name("job")]);
        assert_eq!(judged(&[job.clone()], &["job"]), not_yet);
        job.state = ProcessState::Exited;
        assert_eq!(judged(&[job], &["job"]), Verdict::Ready);
    }

    #[test]
    fn a_oneshot_that_fails_has_failed_although_it_has_done_its_work_before() {
        let mut job = Sight {
            is_oneshot: true,
            goes_on: true,
            ..sight("job", ProcessState::Exited, true)
        };
        let not_yet = Verdict::NotYet(vec![name("job")]);
        assert_eq!(
            judged(&[job.clone()], &["job"]),
            not_yet,
            "it is tried again"
        );
        job.goes_on = false;
        job.state = ProcessState::Fatal;
        let failed = Verdict::Failed(vec![name("job")]);
        assert_eq!(judged(&[job], &["job"]), failed);
    }

    #[test]
    fn whoever_is_started_by_somebody_in_between_gets_the_settings_of_the_direction() {
        let mut apply = Apply::new(ApplyPlan {
            writes: true,
            restarted: vec![name("worker")],
            changed: vec!["web".to_owned()],
            added: vec!["new".to_owned()],
            ..ApplyPlan::default()
        });
        let mut switched = Vec::new();
        while let Some(order) = apply.order() {
            let processes = apply.to_switch(order).into_iter().map(|(_, name)| name);
            let groups = apply.groups_to_switch(order).iter().cloned();
            let who: Vec<String> = processes.chain(groups).collect();
            if !who.is_empty() {
                switched.push((apply.direction(), order, who.join(" ")));
            }
            if order == ApplyOrder::Wait && apply.direction() == Direction::Forward {
                apply.failed();
            } else {
                apply.done();
            }
        }
        let expected = [
            // Before its configuration is read, so that nobody can have added it.
            (Direction::Forward, ApplyOrder::Configure, "new"),
            // Before it is stopped, so that nobody can have started it again.
            (Direction::Forward, ApplyOrder::Switch, "worker"),
            // While it is down.
            (Direction::Forward, ApplyOrder::Remove, "web"),
            (Direction::Back, ApplyOrder::Switch, "worker"),
            (Direction::Back, ApplyOrder::Remove, "web"),
        ];
        let expected = expected.map(|(direction, order, who)| (direction, order, who.to_owned()));
        assert_eq!(switched, expected);
    }

    #[test]
    fn who_went_down_with_what_it_depends_on_comes_up_again_and_nobody_else() {
        let mut apply = Apply::new(ApplyPlan {
            writes: true,
            restarted: vec![name("db"), name("stopped-before")],
            removed: vec!["old".to_owned()],
            ..ApplyPlan::default()
        });
        let before = [
            sight("db", ProcessState::Running, true),
            sight("old", ProcessState::Running, true),
            sight("web", ProcessState::Running, true),
            sight("down", ProcessState::Stopped, false),
            sight("stopped-meanwhile", ProcessState::Running, true),
            sight("stopped-before", ProcessState::Stopped, false),
            sight("done", ProcessState::Exited, true),
        ];
        assert_eq!(
            apply.to_stop(&before),
            [name("db"), name("stopped-before"), name("old")]
        );
        let after = [
            sight("db", ProcessState::Stopped, false),
            Sight {
                went_along: true,
                ..sight("web", ProcessState::Stopped, false)
            },
            sight("down", ProcessState::Stopped, false),
            sight("stopped-meanwhile", ProcessState::Stopped, false),
            sight("stopped-before", ProcessState::Stopped, false),
            sight("done", ProcessState::Exited, true),
        ];
        let added = [(name("new"), true), (name("by-hand"), false)];
        let started = apply.to_start(&after, added.into_iter());
        assert_eq!(started, [name("db"), name("web")]);
        let not_yet = [name("db"), name("web")].to_vec();
        let Verdict::Failed(failed) = apply.verdict(&after) else {
            panic!("nothing is there of what was added");
        };
        assert_eq!(failed, [vec![name("new")], not_yet].concat());
    }
}
