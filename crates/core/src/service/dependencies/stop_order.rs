//! Stops go against the direction of dependencies: who depends on a service is down before it is stopped.

use std::collections::{BTreeMap, BTreeSet};

use linchpin_config::OnDependencyLost;
use serde::{Deserialize, Serialize};

use crate::process::Life;
use crate::supervisor::{Step, Supervisor};
use crate::{ProcessId, ProcessState, Reason};

/// A stop that waits until dependents are down.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct HeldStop {
    /// Those that are on their way down.
    waits_for: BTreeSet<ProcessId>,
    /// It goes only because of what it depends on.
    goes_along: bool,
}

impl Supervisor {
    /// Prepares the stop of several processes: which of them have to wait for others of them, or for
    /// dependents that go down with them. Those are stopped when it is their turn.
    ///
    /// Returns those that are to be stopped in addition, as they cannot be without what is stopped.
    pub(crate) fn hold_stops(&mut self, targets: &[ProcessId]) -> Vec<ProcessId> {
        if !self.dependencies.graph.may_have_edges() {
            return Vec::new();
        }
        self.graph_is_known();
        let mut going: BTreeSet<ProcessId> = targets
            .iter()
            .copied()
            .filter(|id| self.can_be_stopped(*id))
            .collect();
        for id in targets {
            // What went along with others is now stopped for its own sake.
            if let Some(held) = self.dependencies.held_stops.get_mut(id) {
                held.goes_along = false;
            }
        }
        let mut extra = Vec::new();
        let mut unseen: Vec<ProcessId> = going.iter().copied().collect();
        while let Some(id) = unseen.pop() {
            for dependent in self.bound_dependents(id) {
                if self.stop_is_held(dependent) {
                    // It is on its way already.
                    going.insert(dependent);
                } else if !going.contains(&dependent) && self.goes_with(dependent) {
                    going.insert(dependent);
                    extra.push(dependent);
                    unseen.push(dependent);
                }
            }
        }
        let mut held_now = BTreeSet::new();
        for &id in &going {
            if self.stop_is_held(id) {
                // It stays as it is: somebody may have asked for it, and it waits for nobody who is new here.
                continue;
            }
            let waits_for: BTreeSet<ProcessId> = self
                .dependencies
                .graph
                .dependents(id)
                .into_iter()
                .filter(|dependent| *dependent != id && going.contains(dependent))
                .collect();
            if !waits_for.is_empty() && self.is_alive(id) {
                let goes_along = extra.contains(&id);
                let held = HeldStop {
                    waits_for,
                    goes_along,
                };
                self.dependencies.held_stops.insert(id, held);
                held_now.insert(id);
            }
        }
        self.release_cycles(&held_now);
        extra
    }

    /// Stops a dependent that goes down with what it depends on, if it is its turn.
    pub(crate) fn stop_dependent(&mut self, id: ProcessId, step: &mut Step<'_>) {
        if !self.stop_is_held(id) {
            self.go_along(id, step);
        }
    }

    fn go_along(&mut self, id: ProcessId, step: &mut Step<'_>) {
        let is_restarted = self
            .processes
            .get(&id)
            .and_then(|process| process.config.service.as_ref())
            .is_some_and(|service| service.on_dependency_lost == OnDependencyLost::Restart);
        if is_restarted {
            self.stop_and_start(id, &Reason::DependencyStops, step);
        } else {
            self.stop(id, Reason::DependencyStops, step);
        }
    }

    /// Whether a process is to be stopped later than now.
    pub(crate) fn stop_is_held(&self, id: ProcessId) -> bool {
        self.dependencies.held_stops.contains_key(&id)
    }

    /// Whether a process is to be stopped later than now for its own sake. What only goes along with others
    /// may start again by itself, and waits for them then.
    pub(crate) fn is_to_stay_down(&self, id: ProcessId) -> bool {
        let held = self.dependencies.held_stops.get(&id);
        held.is_some_and(|held| !held.goes_along)
    }

    /// It has ended by itself and is started anew: the stop has come about.
    pub(crate) fn forget_held_stop(&mut self, id: ProcessId) {
        self.dependencies.held_stops.remove(&id);
    }

    /// The daemon's end has an order of its own.
    pub(crate) fn forget_held_stops(&mut self) {
        self.dependencies.held_stops.clear();
    }

    /// A process has changed: stops that waited for it may go on.
    pub(super) fn look_at_held_stops(&mut self, changed: ProcessId, step: &mut Step<'_>) {
        if self.dependencies.held_stops.is_empty() {
            return;
        }
        if self.stop_is_held(changed) && !self.is_alive(changed) {
            // It has ended by itself; what is left to do is to keep it down, if somebody wants that.
            let is_wanted_down = self.is_to_stay_down(changed);
            self.dependencies.held_stops.remove(&changed);
            if is_wanted_down {
                self.stop(changed, Reason::Requested, step);
            }
        }
        let is_on_its_way = self.stop_is_held(changed)
            || self
                .processes
                .get(&changed)
                .is_some_and(|process| process.state == ProcessState::Stopping);
        if is_on_its_way {
            return;
        }
        let mut due = Vec::new();
        for (id, held) in &mut self.dependencies.held_stops {
            if held.waits_for.remove(&changed) && held.waits_for.is_empty() {
                due.push(*id);
            }
        }
        for id in due {
            let held = self.dependencies.held_stops.remove(&id);
            if held.is_some_and(|held| held.goes_along) {
                self.go_along(id, step);
            } else {
                self.stop(id, Reason::Requested, step);
            }
            // What was down already makes nobody else look at those that waited for it.
            self.may_concern_dependents(id);
        }
    }

    /// Dependencies that only order may go in circles, as mistakes in them are no errors: who waits for
    /// itself in the end does not wait.
    fn release_cycles(&mut self, held_now: &BTreeSet<ProcessId>) {
        let mut waits: Vec<(ProcessId, BTreeSet<ProcessId>)> = held_now
            .iter()
            .filter_map(|id| {
                let held = self.dependencies.held_stops.get(id)?;
                Some((
                    *id,
                    held.waits_for.intersection(held_now).copied().collect(),
                ))
            })
            .collect();
        let mut free: BTreeSet<ProcessId> = BTreeSet::new();
        loop {
            let before = waits.len();
            waits.retain(|(id, waits_for)| {
                let is_free = waits_for.is_subset(&free);
                if is_free {
                    free.insert(*id);
                }
                !is_free
            });
            if waits.len() == before {
                break;
            }
        }
        for (id, _) in waits {
            self.dependencies.held_stops.remove(&id);
        }
    }

    fn can_be_stopped(&self, id: ProcessId) -> bool {
        self.processes
            .get(&id)
            .is_some_and(|process| process.state.is_running())
    }

    /// Whether a process is up and does not stay so without what it depends on. What waits for its next try
    /// has nothing to lose.
    fn goes_with(&self, dependent: ProcessId) -> bool {
        let policy = self
            .processes
            .get(&dependent)
            .and_then(|process| process.config.service.as_ref());
        policy.is_some_and(|it| it.on_dependency_lost != OnDependencyLost::Keep)
            && self.is_alive(dependent)
    }

    /// Whether there is a process, or about to be, that nobody has told to stop.
    fn is_alive(&self, id: ProcessId) -> bool {
        self.processes.get(&id).is_some_and(|process| {
            matches!(
                process.state,
                ProcessState::Starting | ProcessState::Running
            ) && matches!(process.life, Life::Alive { .. } | Life::InFlight)
        })
    }

    /// Puts lists of processes that are stopped one after the other into an order in which dependents come
    /// first; otherwise the lists stay in their order, and the processes in theirs.
    pub(crate) fn dependents_first<Kind: Clone>(
        &mut self,
        tiers: Vec<(Kind, Vec<ProcessId>)>,
    ) -> Vec<(Kind, Vec<ProcessId>)> {
        if !self.dependencies.graph.may_have_edges() {
            return tiers;
        }
        self.graph_is_known();
        let mut blockers: BTreeMap<ProcessId, usize> = BTreeMap::new();
        let mut place: BTreeMap<ProcessId, (usize, usize)> = BTreeMap::new();
        for (tier, (_, members)) in tiers.iter().enumerate() {
            for (position, id) in members.iter().enumerate() {
                place.insert(*id, (tier, position));
            }
        }
        let mut needs: BTreeMap<ProcessId, Vec<ProcessId>> = BTreeMap::new();
        for &id in place.keys() {
            let mut count = 0;
            for dependent in self.dependencies.graph.dependents(id) {
                if place.contains_key(&dependent) {
                    count += 1;
                    needs.entry(dependent).or_default().push(id);
                }
            }
            blockers.insert(id, count);
        }
        let mut free: BTreeMap<(usize, usize), ProcessId> = place
            .iter()
            .filter(|(id, _)| blockers.get(id) == Some(&0))
            .map(|(id, place)| (*place, *id))
            .collect();
        let mut ordered = Vec::new();
        while !place.is_empty() {
            if free.is_empty() {
                // A circle: mere wishes for an order yield first.
                let is_free = |id: &ProcessId| {
                    let mut bound = self.bound_dependents(*id).into_iter();
                    !bound.any(|dependent| place.contains_key(&dependent))
                };
                free = place
                    .iter()
                    .filter(|(id, _)| is_free(id))
                    .map(|(id, place)| (*place, *id))
                    .collect();
            }
            if free.is_empty() {
                free = place.iter().map(|(id, place)| (*place, *id)).collect();
            }
            let Some((&(tier, _), _)) = free.first_key_value() else {
                break;
            };
            let later = free.split_off(&(tier + 1, 0));
            let members: Vec<ProcessId> = std::mem::replace(&mut free, later)
                .into_values()
                .filter(|id| place.remove(id).is_some())
                .collect();
            for id in &members {
                for needed in needs.remove(id).unwrap_or_default() {
                    if let (Some(count), Some(place)) =
                        (blockers.get_mut(&needed), place.get(&needed))
                    {
                        *count = count.saturating_sub(1);
                        if *count == 0 {
                            free.insert(*place, needed);
                        }
                    }
                }
            }
            if let Some((kind, _)) = tiers.get(tier)
                && !members.is_empty()
            {
                ordered.push((kind.clone(), members));
            }
        }
        ordered
    }
}
